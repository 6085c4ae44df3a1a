import type { Command } from 'commander'
import type { Pod } from '../api/generated/types.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import { pathOf } from '../client/client.ts'
import { pods } from '../client/resources.ts'
import type { Live } from '../client/types.ts'
import { attachOrShow, followPod } from './attach/attach-or-show.ts'
import { addCreateFlags, type CreateFlags, createOne } from './create/creating.ts'
import { podHint } from './describe/pod-hint.ts'
import { parseDryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import { collect, collectList, parseDuration } from './flags.ts'
import type { NamedObject } from './objects.ts'
import { overridden } from './overrides.ts'
import { type PodFlags, podToRun, serviceFor } from './run/pod.ts'
import type { Session } from './session.ts'
import { type Place, untilGone } from './until.ts'
import type { Verb } from './verb.ts'

interface RunFlags extends PodFlags, CreateFlags {
  attach?: boolean
  rm?: boolean
  expose?: boolean
  overrides?: string
  overrideType?: string
  quiet?: boolean
  detachKeys?: string
  podRunningTimeout: string
}

export const runImage: Verb<RunFlags> = {
  usage: 'NAME --image=IMAGE [-- [ARGS...]]',
  examples: [
    'gantry run web --image=nginx --port=80 --expose',
    'gantry run -it --rm shell --image=busybox --restart=Never -- sh',
    'gantry run web --image=nginx --dry-run=client -o yaml',
  ],
  define(command: Command) {
    command
      .option('--image <image>', 'what to run')
      .option('--image-pull-policy <policy>', 'Always, IfNotPresent or Never')
      .option('--port <port>', 'the port it listens on')
      .option('--env <name=value>', 'a variable of the container; may be repeated', collect)
      .option('-l, --labels <labels>', 'in the place of run=NAME', collectList)
      .option('--annotations <key=value>', 'annotations of the pod', collect)
      .option('--command', 'what follows -- is the command, not its arguments')
      .option('--privileged', 'with all rights on the node')
      .option('--restart <policy>', 'Always, OnFailure or Never', 'Always')
      .option('-i, --stdin', 'pass standard input on')
      .option('-t, --tty', 'give the container a terminal')
      .option('--leave-stdin-open', 'do not end its input when the first to attach leaves')
      .option('--attach', 'connect to it; without the flag, with -i')
      .option('--no-attach', 'only make it')
      .option('--rm', 'delete the pod when it has ended')
      .option('--expose', 'make a service, too; needs --port')
      .option('--overrides <json>', 'changes of the pod')
      .option('--override-type <type>', 'how they are meant: merge, json or strategic', 'merge')
      .option('-q, --quiet', 'show only what the container prints')
      .option('--detach-keys <keys>', 'keys that let go of the container: ctrl-p,ctrl-q')
      .option('--pod-running-timeout <duration>', 'how long to wait for the pod to run', '1m')
    addCreateFlags(command)
  },
  async run(session, [name, ...more], flags, rest = []) {
    if (!flags.image) throw new CliError('required flag(s) "image" not set: `gantry run NAME --image=IMAGE`')
    if (!name) throw new CliError('NAME is required for run: `gantry run NAME --image=IMAGE`')
    const attach = flags.attach ?? Boolean(flags.stdin)
    if (flags.expose && !flags.port) throw new CliError('--port must be set when exposing a service')
    if (flags.rm && !attach) throw new CliError('--rm should only be used for attached containers: add -i, or --attach')
    if (flags.tty && !flags.stdin) throw new CliError('-i/--stdin is required for containers with -t/--tty=true')
    const dryRun = parseDryRun(flags.dryRun)
    if (flags.attach !== false && attach && dryRun !== 'none')
      throw new CliError(
        `--dry-run=${dryRun} can't be used with attached containers options (--attach, --stdin, or --tty)`,
      )
    const made = podToRun(name, flags, [...more, ...rest])
    const pod = await overridden(made, flags)
    const manager = { manager: 'kubectl-run' }
    if (flags.expose && flags.port)
      await createOne(session, serviceFor(name, flags.port, made.metadata.labels), flags, manager)
    if (!attach) {
      await createOne(session, pod, flags, manager)
      return 0
    }
    return attached(session, pod, flags)
  },
}

/** Makes the pod, connects to it, and tells how it ended. */
async function attached(session: Session, pod: AnyObject, flags: RunFlags) {
  const limitMs = parseDuration(flags.podRunningTimeout)
  if (!limitMs) throw new CliError('--pod-running-timeout must be higher than zero: write 30s, 2m or 1h')
  const kind = (await session.kinds()).named('pods')
  const namespace = pod.metadata.namespace ?? session.namespace
  const place: Place = { kind, name: pod.metadata.name ?? '', namespace }
  await session.json('POST', pathOf(pods, namespace), {
    query: { fieldManager: flags.fieldManager ?? 'kubectl-run' },
    body: JSON.stringify(pod),
  })
  try {
    const told = new Set<string>()
    const hasBegun = (one: Live<Pod>) => {
      // Who waits is to know at once what for.
      const hint = podHint(one, [], session.clock.now())
      if (hint && !told.has(hint)) session.io.err(`pod ${place.name} does not run yet: ${hint}\n`)
      told.add(hint ?? '')
      return one.status?.phase === 'Running' || ended(one)
    }
    const running = await followPod(session, place, hasBegun, limitMs)
    if (!running)
      throw new CliError(
        `timed out waiting for the pod to run: \`gantry describe pod ${place.name} -n ${namespace}\` tells why`,
      )
    const [container] = running.spec?.containers ?? []
    if (!container) throw new CliError(`pod ${place.name} has no containers`)
    const code = await attachOrShow(session, running, container, flags, ended)
    if (running.spec?.restartPolicy !== 'Never') return code
    const last = await followPod(session, place, ended, limitMs)
    return (
      last?.status?.containerStatuses?.find((one) => one.name === container.name)?.state?.terminated?.exitCode ?? code
    )
  } finally {
    if (flags.rm) {
      const { metadata } = await session.json<NamedObject>('DELETE', pathOf(pods, namespace, place.name))
      if (!flags.quiet) session.io.out(`pod "${place.name}" deleted from ${namespace} namespace\n`)
      await untilGone(session, { ...place, uid: metadata.uid })
    }
  }
}

const ended = ({ status }: Live<Pod>) => status?.phase === 'Succeeded' || status?.phase === 'Failed'
