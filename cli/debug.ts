import type { Command } from 'commander'
import type { Container, Node, Pod } from '../api/generated/types.ts'
import { generateName } from '../api/machinery/generate-name.ts'
import { pathOf } from '../client/client.ts'
import { pods } from '../client/resources.ts'
import type { Live } from '../client/types.ts'
import { attachOrShow, followPod } from './attach/attach-or-show.ts'
import { pairs } from './create/creating.ts'
import { type DebugFlags, refuseNonsense, wishOf } from './debug/flags.ts'
import { type CopyWish, copyOf, type DebugWish, ephemeralContainer, nodePod } from './debug/pods.ts'
import { CliError } from './errors.ts'
import { collectList } from './flags.ts'
import { placesGiven } from './places.ts'
import type { Session } from './session.ts'
import type { Place } from './until.ts'
import type { Verb } from './verb.ts'

export const debug: Verb<DebugFlags> = {
  usage: '(POD | node/NAME) [-- COMMAND [args...]]',
  examples: [
    'gantry debug -it web-1 --image=busybox --target=app',
    'gantry debug -it web-1 --copy-to=web-debug --container=app -- sh',
    'gantry debug web-1 --copy-to=web-debug --set-image=*=busybox',
    'gantry debug -it node/laptop --image=busybox    # its files are at /host',
  ],
  define: (command: Command) =>
    void command
      .option('-f, --filename <file>', 'a file with the pod or node', collectList)
      .option('--image <image>', 'what to run in the debug container')
      .option('--image-pull-policy <policy>', 'Always, IfNotPresent or Never')
      .option('-c, --container <name>', 'what the debug container is called')
      .option('--target <container>', 'see the processes of this container of the pod')
      .option('-i, --stdin', 'pass standard input on')
      .option('-t, --tty', 'give the container a terminal')
      .option('--attach', 'connect to it; without the flag, with -i')
      .option('--no-attach', 'only make it')
      .option('-q, --quiet', 'show only what the container prints')
      .option('--env <name=value>', 'variables of the container', collectList)
      .option('--arguments-only', 'what follows -- are arguments and no command')
      .option(
        '--profile <name>',
        'what it may: general, baseline, restricted, netadmin, sysadmin; legacy as long ago',
        'general',
      )
      .option('--custom <file>', 'a part of a container, as JSON or YAML, that changes the profile')
      .option('--copy-to <name>', 'leave the pod alone and make a copy of it')
      .option('--replace', 'with --copy-to: delete the pod')
      .option('--same-node', 'with --copy-to: on the same node')
      .option('--set-image <container=image>', 'with --copy-to: other images; * for all containers', collectList)
      .option('--share-processes', 'with --copy-to: containers see the processes of each other')
      .option('--no-share-processes', 'they do not')
      .option('--keep-labels', 'with --copy-to: keep the labels, so that services find the copy')
      .option('--keep-annotations', 'with --copy-to: keep the annotations')
      .option('--keep-liveness', 'with --copy-to: keep the liveness probes')
      .option('--keep-readiness', 'with --copy-to: keep the readiness probes')
      .option('--keep-startup', 'with --copy-to: keep the startup probes')
      .option('--keep-init-containers', 'with --copy-to: run the init containers', true)
      .option('--no-keep-init-containers', 'do not'),
  async run(session, args, flags, rest = []) {
    const wish = await wishOf(flags, rest)
    refuseNonsense(args, flags, rest)
    if (flags.target && !flags.quiet)
      session.io.out(
        `Targeting container "${flags.target}". If you don't see processes from this container it may be because the container runtime doesn't support this feature.\n`,
      )
    if (flags.profile === 'legacy')
      session.io.err(
        '--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, for example "--profile=general".\n',
      )
    let code = 0
    for (const place of await placesOf(session, args, flags)) {
      const made = await debugOne(session, place, flags, wish)
      const attach = flags.attach ?? Boolean(flags.stdin)
      if (attach && made) code = await attached(session, made.pod, made.container, flags)
    }
    return code
  },
}

/** A pod and the debug container in it. */
interface Made {
  pod: Live<Pod>
  container: string
}

/** `web-1` is a pod. */
const placesOf = async (session: Session, args: readonly string[], flags: DebugFlags): Promise<Place[]> =>
  flags.filename
    ? placesGiven(session, [], { filename: flags.filename }, '')
    : placesGiven(
        session,
        args.map((word) => (word.includes('/') ? word : `pods/${word}`)),
        {},
        '',
      )

/** Makes the container; undefined where only images of a copy were changed. */
async function debugOne(session: Session, place: Place, flags: DebugFlags, wish: DebugWish): Promise<Made | undefined> {
  const { kind, name } = place
  if (kind.kind !== 'Pod' && kind.kind !== 'Node') {
    const version = `${kind.group}/${kind.version}`
    throw new CliError(
      `"${version}, Kind=${kind.kind}" not supported by debug: name a pod, or a node as node/NAME; \`gantry tree ${kind.singular}/${name}\` shows pods`,
    )
  }
  const path = pathOf(kind, place.namespace, name)
  if (kind.kind === 'Node') return onNode(session, await session.json<Node>('GET', path), flags, wish)
  const pod = await session.json<Live<Pod>>('GET', path)
  return flags.copyTo ? copied(session, pod, flags, wish) : inPod(session, pod, flags, wish)
}

async function onNode(session: Session, node: Node, flags: DebugFlags, wish: DebugWish): Promise<Made> {
  const { namespace } = session
  const nodeName = node.metadata?.name ?? ''
  const container = flags.container || 'debugger'
  const made = nodePod(generateName(`node-debugger-${nodeName}-`), nodeName, container, wish)
  if (!flags.quiet)
    session.io.out(`Creating debugging pod ${made.metadata.name} with container ${container} on node ${nodeName}.\n`)
  const pod = await session.json<Live<Pod>>('POST', pathOf(pods, namespace), { ...manager, body: JSON.stringify(made) })
  return { pod, container }
}

const manager = { query: { fieldManager: 'kubectl' } }

async function inPod(session: Session, pod: Live<Pod>, flags: DebugFlags, wish: DebugWish): Promise<Made> {
  const name = flags.container || newName(session, pod, flags)
  const added = ephemeralContainer(name, wish, flags.target)
  warnOfUser(session, pod, added)
  const changed = await session.json<Live<Pod>>(
    'PATCH',
    pathOf(pods, pod.metadata.namespace, pod.metadata.name, 'ephemeralcontainers'),
    {
      ...manager,
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
      body: JSON.stringify({
        spec: {
          // Behind those that are there.
          '$setElementOrder/ephemeralContainers': [...(pod.spec?.ephemeralContainers ?? []), added].map(
            ({ name: its }) => ({ name: its }),
          ),
          ephemeralContainers: [added],
        },
      }),
    },
  )
  return { pod: changed, container: name }
}

async function copied(session: Session, pod: Live<Pod>, flags: DebugFlags, wish: DebugWish): Promise<Made | undefined> {
  const isThere = Boolean(flags.container) && containersOf(pod).some(({ name }) => name === flags.container)
  const images = pairs(flags.setImage, 'container=image')
  if (!isThere && wish.image === '' && Object.keys(images).length === 0)
    throw new CliError('you must specify image when creating new container')
  const onlyImages = !isThere && wish.image === ''
  const container = onlyImages ? undefined : flags.container || newName(session, pod, flags)
  const copy: CopyWish = {
    name: flags.copyTo ?? '',
    images,
    sameNode: Boolean(flags.sameNode),
    shareProcesses: flags.shareProcesses,
    keep: {
      labels: Boolean(flags.keepLabels),
      annotations: Boolean(flags.keepAnnotations),
      liveness: Boolean(flags.keepLiveness),
      readiness: Boolean(flags.keepReadiness),
      startup: Boolean(flags.keepStartup),
      initContainers: flags.keepInitContainers,
    },
  }
  const made = copyOf(pod, copy, container, wish)
  warnOfUser(
    session,
    pod,
    made.spec.containers.find(({ name }) => name === container),
  )
  const { namespace, name } = pod.metadata
  const created = await session.json<Live<Pod>>('POST', pathOf(pods, namespace), {
    ...manager,
    body: JSON.stringify(made),
  })
  if (flags.replace)
    await session.json('DELETE', pathOf(pods, namespace, name), { body: JSON.stringify({ gracePeriodSeconds: 0 }) })
  return container === undefined ? undefined : { pod: created, container }
}

const containersOf = ({ spec }: Pod): Container[] => [
  ...(spec?.containers ?? []),
  ...(spec?.initContainers ?? []),
  ...((spec?.ephemeralContainers ?? []) as Container[]),
]

function newName(session: Session, pod: Pod, { quiet }: DebugFlags): string {
  const taken = new Set(containersOf(pod).map(({ name }) => name))
  let name = generateName('debugger-')
  while (taken.has(name)) name = generateName('debugger-')
  if (!quiet) session.io.out(`Defaulting debug container name to ${name}.\n`)
  return name
}

/** Rights that root has are of little use to another user. */
function warnOfUser(session: Session, { spec }: Pod, container: Container | undefined): void {
  const rights = container?.securityContext
  if (!spec?.securityContext?.runAsUser || !rights || rights.runAsUser === 0) return
  if (!rights.privileged && !rights.capabilities?.add?.length) return
  session.io.err(
    'Warning: Non-root user is configured for the entire target Pod, and some capabilities granted by debug profile may not work. Please consider using "--custom" with a custom profile that specifies "securityContext.runAsUser: 0".\n',
  )
}

/** Waits until the container runs, and connects to it; what has ended by then has left a log. */
async function attached(session: Session, pod: Live<Pod>, name: string, flags: DebugFlags): Promise<number> {
  const kind = (await session.kinds()).named('pods')
  const place = { kind, name: pod.metadata.name, namespace: pod.metadata.namespace }
  let told = ''
  const stateOf = ({ status }: Live<Pod>) =>
    [
      ...(status?.ephemeralContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
      ...(status?.initContainerStatuses ?? []),
    ].find((one) => one.name === name)?.state
  const running = await followPod(
    session,
    place,
    (now) => {
      const { waiting, running: runs, terminated } = stateOf(now) ?? {}
      const message = waiting?.message ?? ''
      if (message !== '' && message !== told && !flags.quiet) session.io.err(`Warning: container ${name}: ${message}\n`)
      told = message
      return Boolean(runs || terminated)
    },
    Number.POSITIVE_INFINITY,
  )
  const container = running && containersOf(running).find((one) => one.name === name)
  if (!running || !container) throw new CliError(`pod ${place.name} has no container ${name}`)
  return attachOrShow(session, running, container, flags, (now) => Boolean(stateOf(now)?.terminated))
}
