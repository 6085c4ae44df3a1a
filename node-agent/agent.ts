import { setMaxListeners } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Node, Pod, Service } from '../api/generated/types.ts'
import { EventRecorder } from '../client/events.ts'
import { Informer, type InformerFactory } from '../client/informer.ts'
import type { Logger } from '../client/logger.ts'
import { nodes, pods, services } from '../client/resources.ts'
import type { Api, Clock, Live } from '../client/types.ts'
import type { NodeAgentConfig } from './config.ts'
import { openCgroups, type PodCgroups } from './containers/cgroups.ts'
import type { Relay } from './csi/relay.ts'
import { type NodeStorage, startStorage } from './csi/start.ts'
import { DeviceDrivers, pluginType } from './devices/drivers.ts'
import { PodDevices } from './devices/pod-devices.ts'
import { PreparedClaims } from './devices/prepared.ts'
import { Evictor } from './eviction/evictor.ts'
import { keepHouse } from './housekeeping.ts'
import { ImageGarbage } from './images/garbage.ts'
import { KeptLogs } from './logs/kept-logs.ts'
import type { NodeNetwork } from './network/index.ts'
import { keepLease } from './node/lease.ts'
import { type Machine, machineAddresses, readMachine } from './node/machine.ts'
import { NodeReporter } from './node/reporter.ts'
import type { NodeIdentity } from './node/status.ts'
import { makeDeps } from './pod-deps.ts'
import type { PodDeps } from './pods/deps.ts'
import { followRuntime } from './pods/follow-runtime.ts'
import { Mirrors } from './pods/mirrors.ts'
import { AgentPods } from './pods/pod-view.ts'
import { followStaticPods } from './pods/static.ts'
import { asBoundPod } from './pods/types.ts'
import { PodWorkers } from './pods/workers.ts'
import type { Runtime } from './runtime/index.ts'
import { keepStorageLimits } from './storage-limits.ts'
import { openPlaces, type Volumes } from './volumes/manager.ts'

/** The parts of a node that others make: given in, so that a test can give its own. */
export interface AgentParts {
  openRuntime(signal: AbortSignal): Promise<Runtime>
  /** Routes and names; undefined: the node has no network of our making. */
  startNetwork?(facts: { nodeIp: string; events: EventRecorder; signal: AbortSignal }): Promise<AgentNetwork>
  /** Answers the API server's questions; resolves to the port. */
  startServer?(facts: {
    pods: AgentPods
    runtime: Runtime
    volumes: Pick<Volumes, 'usage' | 'pathOf' | 'mountTimes'>
    keptLogs: KeptLogs
    port: number
    csi: Relay
  }): Promise<{ port: number; stop(): Promise<void> }>
}

export type AgentNetwork = Pick<NodeNetwork, 'podCidrChanged' | 'setHostPorts' | 'podStarts' | 'podEnded' | 'stop'>

export interface AgentOptions {
  config: NodeAgentConfig
  api: Api
  informers: InformerFactory
  clock: Clock
  log: Logger
  parts: AgentParts
}

export interface NodeAgent {
  readonly pods: AgentPods
  readonly workers: PodWorkers
  readonly port: number
  /** Ends the agent; what runs in containers goes on. */
  stop(): Promise<void>
}

/** Starts all of a node: registers it, and runs the pods that are bound to it. Resolves when pods are taken. */
export async function startNodeAgent(options: AgentOptions): Promise<NodeAgent> {
  const { config, api, informers, clock, log, parts } = options
  const { nodeName, rootDir } = config
  const abort = new AbortController()
  const { signal } = abort
  // One listener a pod.
  setMaxListeners(0, signal)
  const directories = { pods: join(rootDir, 'pods'), memory: join(rootDir, 'memory'), logs: join(rootDir, 'logs') }
  await Promise.all([directories.pods, directories.logs].map((path) => mkdir(path, { recursive: true, mode: 0o755 })))

  const keptLogs = new KeptLogs({ directory: join(rootDir, 'kept-logs'), clock, log })

  const machine = await readMachine()
  const recorder = new EventRecorder(api, { component: 'kubelet', host: nodeName }, { clock })
  const identity = identityOf(config)
  let workers: PodWorkers | undefined
  let evictor: Evictor | undefined
  let storage: NodeStorage | undefined
  const reporter = new NodeReporter({
    api,
    clock,
    log,
    events: recorder,
    identity,
    machine,
    rootDirectory: rootDir,
    thresholds: config.evictionThresholds,
    pressureHoldMs: config.pressureHoldMs,
    signal,
    networkChanged: () => workers?.wakeAll(),
    volumesInUse: () => storage?.volumes.volumesInUse() ?? [],
    looked: (short) => void evictor?.consider(short).catch((error) => log.warn({ err: error }, 'eviction failed')),
  })

  // The runtime starts while the node registers, and while its network is made.
  const opening = parts.openRuntime(signal)
  const registering = config.registerNode ? reporter.register() : Promise.resolve()
  const networkStarting = parts.startNetwork?.({
    nodeIp: identity.addresses[0] ?? '127.0.0.1',
    events: recorder,
    signal,
  })
  const node = new Informer<Node>(api, nodes, { fieldSelector: `metadata.name=${nodeName}`, clock })
  for (const early of [opening, registering, networkStarting]) early?.catch(() => undefined)
  const runtime = await opening
  identity.runtime = { name: runtime.name, version: runtime.version }
  const [memory, cgroups] = await Promise.all([
    openPlaces(directories, log, runtime.name === 'containerd'),
    cgroupsFor(config, runtime, machine, log),
  ])

  const podNetwork: PodDeps['network'] = {
    setHostPorts: async (uid, ip, ports) => (await networkStarting)?.setHostPorts(uid, ip, ports),
    podStarts: async (pod, ip) => (await networkStarting)?.podStarts(pod, ip),
    podEnded: async (uid) => (await networkStarting)?.podEnded(uid),
  }
  const deviceDrivers = new DeviceDrivers()
  const prepared = new PreparedClaims(join(rootDir, 'dra_manager_state'))
  await prepared.recall()
  storage = await startStorage({
    api,
    clock,
    log,
    events: recorder,
    nodeName,
    rootDir,
    podsDirectory: directories.pods,
    mayMount: memory.mayMount,
    otherPlugins: new Map([[pluginType, deviceDrivers]]),
    signal,
    node: () => reporter.node,
    inUseChanged: () => reporter.look(),
    refresh: (uid) => deps.volumes.refresh(uid),
  })
  const { seen: tellStorage, relay: csi, run: runStorage } = storage
  const devices = new PodDevices({ api, drivers: deviceDrivers, prepared })
  const deps = makeDeps({
    options,
    storage,
    devices,
    directories,
    keptLogs,
    machine,
    recorder,
    runtime,
    reporter,
    identity,
    memory,
    cgroups,
    wake,
    network: podNetwork,
  })
  workers = new PodWorkers(deps.pods, () => node.lister.get(undefined, nodeName) ?? reporter.node, signal)
  const made = workers
  function wake(uid: string): void {
    workers?.wake(uid)
  }
  const garbage = new ImageGarbage({
    cri: runtime.cri,
    clock,
    log,
    highThresholdPercent: config.imageGcHighPercent,
    lowThresholdPercent: config.imageGcLowPercent,
    named: () => imagesOfVolumes(made),
  })
  evictor = new Evictor({
    cri: runtime.cri,
    clock,
    log,
    workers,
    volumes: deps.volumes,
    logRoot: directories.logs,
    nodeEvents: recorder,
    events: deps.pods.events,
    nodeName,
    removeUnusedImages: () => garbage.removeUnused(),
    look: () => reporter.lookForShortages(),
  })
  const view = new AgentPods(workers, deps.pods.statuses)
  const server = await parts.startServer?.({
    pods: view,
    runtime,
    volumes: deps.volumes,
    keptLogs,
    port: config.port,
    csi,
  })
  identity.port = server?.port ?? 0
  reporter.useRuntime(runtime.cri)

  await registering
  recorder.event(
    { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName },
    'Normal',
    'Starting',
    'Starting kubelet.',
  )
  const background: Promise<unknown>[] = [
    keepLease({ api, clock, log, nodeName, nodeUid: () => reporter.node?.metadata.uid, signal }),
  ]
  const network = await networkStarting
  let podCidr = ''
  const useCidr = (cidr: string): void => {
    if (!network || cidr === '' || cidr === podCidr) return
    podCidr = cidr
    void network.podCidrChanged(cidr).then(
      () => reporter.look(),
      (error) => log.error({ err: error, cidr }, 'the network of pods cannot be made'),
    )
  }
  const seeNode = (found: Live<Node>): void => {
    reporter.seen(found)
    tellStorage(found)
    useCidr(found.spec?.podCIDR ?? config.podCidr)
  }
  node.on({ add: seeNode, update: (_, after) => seeNode(after) })
  useCidr(reporter.node?.spec?.podCIDR ?? config.podCidr)
  background.push(reporter.run(), runStorage())

  const bound = new Informer<Pod>(api, pods, { fieldSelector: `spec.nodeName=${nodeName}`, clock })
  const mirrors = new Mirrors(api, workers, () => reporter.node?.metadata.uid, log)
  await Promise.all([node.start(signal), informers.for<Service>(services).start(signal)])
  followPods(bound, workers, mirrors)
  await bound.start(signal)
  if (config.staticPodPath !== '') {
    await followStaticPods({
      path: config.staticPodPath,
      nodeName,
      now: () => new Date(clock.now()).toISOString(),
      changed: (list) => mirrors.setStatic(list),
      log,
      signal,
    }).catch((error) => log.error({ err: error }, 'static pods cannot be read'))
  }
  background.push(
    followRuntime({
      clock,
      log,
      runtime,
      view: deps.pods.view,
      wake,
      started: (uid, id) => made.started(uid, id),
      ended: (uid, id) => made.ended(uid, id),
      listed: (list) => tidy(list, made, deps.volumes, cgroups),
      signal,
    }),
  )
  background.push(
    keepStorageLimits({
      cri: runtime.cri,
      workers: made,
      volumes: deps.volumes,
      events: deps.pods.events,
      logRoot: directories.logs,
      clock,
      log,
      signal,
    }),
  )
  const releaseDevices = () => devices.releaseUnknown((uid) => made.get(uid) !== undefined)
  const house = { clock, log, cri: runtime.cri, recorder, nodeName, garbage, keptLogs, releaseDevices, signal }
  background.push(keepHouse(house))
  log.info(
    { node: nodeName, runtime: `${runtime.name}://${runtime.version}`, port: identity.port },
    'the node takes pods',
  )

  return {
    pods: view,
    workers,
    port: identity.port,
    async stop() {
      await server?.stop()
      abort.abort(new Error('the agent ends'))
      deps.objects.stop()
      deps.pods.probes.stop()
      deps.volumes.stop()
      await Promise.allSettled(made.list().map(({ done }) => done))
      await Promise.race([recorder.flush(), delay(flushMs, undefined, { ref: false })])
      recorder.stop()
      storage?.stop()
      deviceDrivers.stop()
      await network?.stop()
      await Promise.allSettled(background)
      await runtime.stop()
    },
  }
}

const flushMs = 2000

const imagesOfVolumes = (workers: PodWorkers): string[] =>
  workers.list().flatMap(({ pod }) => (pod.spec.volumes ?? []).flatMap(({ image }) => image?.reference ?? []))

function identityOf(config: NodeAgentConfig): NodeIdentity {
  return {
    name: config.nodeName,
    hostname: config.nodeName || hostname(),
    addresses: config.nodeIps.length > 0 ? config.nodeIps : machineAddresses(),
    labels: config.labels,
    taints: config.taints,
    maxPods: config.maxPods,
    port: config.port,
    runtime: { name: config.runtime, version: 'starting' },
  }
}

async function cgroupsFor(
  { cgroupRoot, podPidsLimit }: NodeAgentConfig,
  runtime: Runtime,
  { cores }: Machine,
  log: Logger,
): Promise<PodCgroups | undefined> {
  if (runtime.name !== 'containerd') return undefined
  return openCgroups({ root: cgroupRoot, cores, pidsLimit: podPidsLimit, log })
}

function followPods(bound: Informer<Pod>, workers: PodWorkers, mirrors: Mirrors): void {
  const set = (object: Live<Pod>): void => {
    const pod = asBoundPod(object)
    if (!pod) return
    if (Mirrors.isMirror(pod)) mirrors.setMirror(pod)
    else workers.set(pod)
  }
  const remove = (object: Live<Pod>): void => {
    const pod = asBoundPod(object)
    if (!pod) return
    if (Mirrors.isMirror(pod)) mirrors.removeMirror(pod)
    else workers.remove(pod.metadata.uid)
  }
  bound.on({
    add: set,
    update: (before, after) => {
      // Deleted and made again under the same name while nobody looked.
      if (before.metadata.uid !== after.metadata.uid) remove(before)
      set(after)
    },
    delete: remove,
  })
}

/** Ends what the runtime has and nobody knows, and takes away what pods have left on the machine. */
async function tidy(
  listed: readonly { uid: string; name: string; namespace: string }[],
  workers: PodWorkers,
  volumes: Volumes,
  cgroups: PodCgroups | undefined,
): Promise<void> {
  for (const pod of listed) await workers.endOrphan(pod)
  const known = (uid: string): boolean => workers.get(uid) !== undefined
  await volumes.removeOrphans(known)
  const mine = new Set(listed.map(({ uid }) => uid))
  // A group that this agent's runtime has never heard of may belong to another node of this machine.
  for (const uid of (await cgroups?.list()) ?? []) if (!known(uid) && mine.has(uid)) await cgroups?.remove(uid)
}
