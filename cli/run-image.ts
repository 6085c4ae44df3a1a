import type { Command } from 'commander'
import type { Container, Pod } from '../api/generated/types.ts'
import { StatusError } from '../api/machinery/errors.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import { pathOf } from '../client/client.ts'
import { pods } from '../client/resources.ts'
import type { Live } from '../client/types.ts'
import { attachTo } from './attach.ts'
import { addCreateFlags, type CreateFlags, createOne } from './create/creating.ts'
import { parseDryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import { collect, collectList, parseDuration } from './flags.ts'
import { getObject, type NamedObject } from './objects.ts'
import { overridden } from './overrides.ts'
import { type PodFlags, podToRun, serviceFor } from './run/pod.ts'
import type { Session } from './session.ts'
import { inTime, type Place, untilGone, untilSo } from './until.ts'
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
      .option('--rm', 'delete the pod when it has ended')
      .option('--expose', 'make a service, too; needs --port')
      .option('--overrides <json>', 'changes of the pod')
      .option('--override-type <type>', 'how they are meant: merge or json')
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
    const running = await follow(session, place, (one) => one.status?.phase === 'Running' || ended(one), limitMs)
    if (!running)
      throw new CliError(
        `timed out waiting for the pod to run: \`gantry describe pod ${place.name} -n ${namespace}\` tells why`,
      )
    const [container] = running.spec?.containers ?? []
    if (!container) throw new CliError(`pod ${place.name} has no containers`)
    const code = await attachOrShow(session, running, container, flags)
    if (running.spec?.restartPolicy !== 'Never') return code
    const last = await follow(session, place, ended, limitMs)
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

const settlingMs = 10_000

/** What ends before anybody could connect has left what it printed in its log. */
async function attachOrShow(session: Session, pod: Live<Pod>, container: Container, flags: RunFlags): Promise<number> {
  const { name, namespace } = pod.metadata
  if (!ended(pod)) {
    let isHeard = false
    try {
      const code = await attachTo(session, pod, container, flags, () => {
        isHeard = true
      })
      // It may have said all before we were connected: then its log has it. Where it goes on, it may just be silent.
      if (isHeard || container.tty || !(await hasEnded(session, pod))) return code
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      // Its status follows a moment later.
      const kind = (await session.kinds()).named('pods')
      if (!(await follow(session, { kind, name, namespace }, ended, settlingMs))) throw error
    }
  }
  const answer = await session.raw('GET', pathOf(pods, namespace, name, 'log'), {
    query: { container: container.name },
    stream: true,
  })
  for await (const chunk of answer) await session.io.write('out', chunk as Buffer)
  return 0
}

async function hasEnded(session: Session, { metadata }: Live<Pod>): Promise<boolean> {
  const kind = (await session.kinds()).named('pods')
  return ended((await getObject(session, kind, metadata.name, metadata.namespace)) as Live<Pod>)
}

const ended = ({ status }: Live<Pod>) => status?.phase === 'Succeeded' || status?.phase === 'Failed'

/** The pod when it is so, or undefined where it does not become so in time. */
async function follow(
  session: Session,
  place: Place,
  isSo: (pod: Live<Pod>) => boolean,
  limitMs: number,
): Promise<Live<Pod> | undefined> {
  let found: Live<Pod> | undefined
  const following = untilSo(session, place, (object) => {
    if (!object) throw new CliError(`pod ${place.name} is gone: somebody has deleted it meanwhile`)
    found = object as Live<Pod>
    return isSo(found)
  })
  return (await inTime(session, following, limitMs)) ? found : undefined
}
