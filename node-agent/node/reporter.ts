import type { Node, NodeStatus } from '../../api/generated/types.ts'
import { isAlreadyExists, isNotFound, isServerDown } from '../../client/errors.ts'
import type { EventRecorder } from '../../client/events.ts'
import type { Logger } from '../../client/logger.ts'
import { nodes } from '../../client/resources.ts'
import type { Api, Clock, Live } from '../../client/types.ts'
import { HeldPressures, type Pressures, pressuresOf } from '../eviction/pressures.ts'
import { type Shortage, shortages, type Threshold } from '../eviction/thresholds.ts'
import { Nap } from '../pods/nap.ts'
import type { Cri, StatusResponse } from '../runtime/cri.ts'
import { nodeConditions } from './conditions.ts'
import { type Machine, type Reserves, readReserves } from './machine.ts'
import { imageList, type NodeIdentity, newNode, nodeLabels, nodeStatusPatch, standingStatus } from './status.ts'

export interface ReporterOptions {
  api: Api
  clock: Clock
  log: Logger
  events: Pick<EventRecorder, 'event'>
  identity: NodeIdentity
  machine: Machine
  /** Whose file system counts. */
  rootDirectory: string
  /** What counts as short, and for how long a pressure that has passed is still told. */
  thresholds: readonly Threshold[]
  pressureHoldMs: number
  signal: AbortSignal
  /** Pods can have a network again, or no longer. */
  networkChanged(): void
  /** Volumes that must not be detached now. */
  volumesInUse(): string[]
  /** What is short at this moment. */
  looked(short: readonly Shortage[]): void
}

const statusMs = 10_000
const beatMs = 300_000
/** While something is missing, it is looked for often: the node is to be ready soon. */
const unreadyMs = 100
const unreadyPatienceMs = 30_000

/** Registers the node and keeps its status true: written when something has changed, and every five minutes. */
export class NodeReporter {
  readonly #options: ReporterOptions
  #node: Live<Node> | undefined
  #cri: Cri | undefined
  #runtimeFault: string | undefined = 'container runtime status check may not have completed yet'
  #runtimeHandlers: StatusResponse['runtimeHandlers'] = []
  #networkFault: string | undefined = 'the network has not been looked at yet'
  #reserves: Reserves | undefined
  readonly #pressures: HeldPressures
  #imagesDirectory: string | undefined
  #beatAt = 0
  #imagesAt = 0
  #images: NonNullable<NodeStatus['images']> = []
  readonly #nap: Nap

  constructor(options: ReporterOptions) {
    this.#options = options
    this.#pressures = new HeldPressures(options.clock, options.pressureHoldMs)
    this.#nap = new Nap(options.clock, options.signal)
  }

  /** As the API last had it; kept fresh by `seen`. */
  get node(): Live<Node> | undefined {
    return this.#node
  }

  /** Why no pod can have a network; undefined: they can. */
  get networkFault(): string | undefined {
    return this.#runtimeFault ?? this.#networkFault
  }

  /** Whether the runtime can make everything below a mount of a container read-only. */
  get recursiveReadOnly(): boolean {
    return this.#runtimeHandlers.some(({ name, features }) => name === '' && features?.recursiveReadOnlyMounts)
  }

  /** What the node says to be short of. */
  get pressures(): Pressures {
    return this.#pressures.current
  }

  /** What is short at this moment. */
  async lookForShortages(): Promise<readonly Shortage[]> {
    const { rootDirectory, thresholds } = this.#options
    const reserves = await readReserves({ nodefs: rootDirectory, imagefs: this.#imagesDirectory })
    this.#reserves = reserves
    const short = shortages(thresholds, reserves)
    this.#pressures.note(pressuresOf(short))
    return short
  }

  /** The runtime answers from now on. */
  useRuntime(cri: Cri): void {
    this.#cri = cri
    this.look()
  }

  /** The watch has a newer version of the node. */
  seen(node: Live<Node>): void {
    this.#node = node
  }

  /** Look again now: the runtime or the network has changed. */
  look(): void {
    this.#nap.wake()
  }

  /** An image has come or gone. */
  imagesChanged(): void {
    this.#imagesAt = 0
  }

  /** Makes the node in the API, or takes over the one that is there. Tries until the signal fires. */
  async register(): Promise<Live<Node>> {
    const { api, clock, log, signal, identity } = this.#options
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 7000)) {
      try {
        await this.#lookAround()
        const status = await this.#status()
        const made = newNode(identity, status)
        this.#node = await api.create(nodes, made, { signal }).catch(async (error) => {
          if (!isAlreadyExists(error)) throw error
          return this.#takeOver(status)
        })
        this.#beatAt = clock.now()
        log.info({ node: identity.name }, 'the node is registered')
        return this.#node
      } catch (error) {
        signal.throwIfAborted()
        // Started together with the API, the agent is often there first.
        if (waitMs < 1000 && isServerDown(error)) log.info({ node: identity.name }, 'the API is not there yet')
        else log.warn({ err: error, node: identity.name }, 'the node cannot be registered yet')
        await clock.sleep(waitMs, signal)
      }
    }
  }

  /**
   * The node was here before: its labels are brought up to date, its taints are the operator's. What it says of itself
   * stands until the runtime has been asked: a restart of the agent alone makes no node unready.
   */
  async #takeOver(status: NodeStatus): Promise<Live<Node>> {
    const { api, identity, signal } = this.#options
    const key = { name: identity.name }
    const found = await api.get(nodes, key, { signal })
    const labels = nodeLabels(identity, status)
    const stale = Object.entries(labels).some(([name, value]) => found.metadata.labels?.[name] !== value)
    return stale ? api.patch(nodes, key, { type: 'merge', body: { metadata: { labels } } }, { signal }) : found
  }

  /** Keeps the status true until the signal fires. */
  async run(): Promise<void> {
    const { clock, log, signal } = this.#options
    const startedAt = clock.now()
    while (!signal.aborted) {
      try {
        await this.#lookAround()
        await this.#report()
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, 'the status of the node cannot be written')
      }
      const hurried = this.networkFault !== undefined && clock.now() - startedAt < unreadyPatienceMs
      await this.#nap.rest(hurried ? unreadyMs : statusMs)
    }
  }

  async #lookAround(): Promise<void> {
    const { networkChanged, looked } = this.#options
    const before = this.networkFault
    const [, short] = await Promise.all([this.#askRuntime(), this.lookForShortages()])
    if (before !== this.networkFault) networkChanged()
    looked(short)
  }

  async #askRuntime(): Promise<void> {
    if (!this.#cri) return
    try {
      const { status, runtimeHandlers } = await this.#cri.status()
      this.#runtimeHandlers = runtimeHandlers
      const faultOf = (type: string): string | undefined => {
        const found = status?.conditions.find((condition) => condition.type === type)
        return found?.status ? undefined : `${type}=false reason:${found?.reason ?? ''} message:${found?.message ?? ''}`
      }
      const runtime = faultOf('RuntimeReady')
      const network = faultOf('NetworkReady')
      this.#runtimeFault = runtime && `container runtime not ready: ${runtime}`
      this.#networkFault = network && `container runtime network not ready: ${network}`
      this.#imagesDirectory ??= (await this.#cri.imageFsInfo()).imageFilesystems[0]?.fsId?.mountpoint
    } catch {
      this.#runtimeFault = 'container runtime is down'
    }
  }

  async #status(): Promise<NodeStatus> {
    const { clock, identity, machine } = this.#options
    if (this.#cri && this.#runtimeFault === undefined && clock.now() - this.#imagesAt >= beatMs) {
      this.#images = imageList(await this.#cri.listImages())
      this.#imagesAt = clock.now()
    }
    return {
      ...standingStatus(machine, this.#reserves?.nodefs.bytes ?? 0, identity, this.#options.thresholds),
      conditions: this.#conditions(this.#node),
      images: this.#images,
      ...this.#volumesInUse(),
    }
  }

  /** Said only where there is, or was, something to say. */
  #volumesInUse(): Pick<NodeStatus, 'volumesInUse'> {
    const volumesInUse = this.#options.volumesInUse()
    const before = this.#node?.status?.volumesInUse ?? []
    return volumesInUse.length > 0 || before.length > 0 ? { volumesInUse } : {}
  }

  #conditions(node: Live<Node> | undefined) {
    const faults = [this.#runtimeFault, this.#networkFault].filter((fault) => fault !== undefined)
    return nodeConditions(this.pressures, faults, node?.status?.conditions ?? [], this.#options.clock.now())
  }

  async #report(): Promise<void> {
    const { api, clock, identity, signal } = this.#options
    const node = this.#node
    if (!node) return
    const wanted = await this.#status()
    const beat = clock.now() - this.#beatAt >= beatMs
    const patch = nodeStatusPatch(node, wanted, beat)
    if (!patch) return
    const body = { status: patch }
    try {
      const options = { subresource: 'status', signal }
      this.#node = await api.patch(nodes, { name: identity.name }, { type: 'strategic', body }, options)
    } catch (error) {
      if (!isNotFound(error)) throw error
      // Somebody has deleted the node: it is still here.
      this.#node = await api.create(nodes, newNode(identity, wanted), { signal })
    }
    this.#beatAt = clock.now()
    this.#tell(node, wanted)
  }

  /** Events for what an operator should know. */
  #tell(before: Live<Node>, { conditions = [] }: NodeStatus): void {
    const { events, identity } = this.#options
    const about = { apiVersion: 'v1', kind: 'Node', name: identity.name, uid: identity.name }
    for (const { type, status } of conditions) {
      const old = before.status?.conditions?.find((condition) => condition.type === type)
      if (old?.status === status) continue
      const reason = reasons[type]?.[status === 'True' ? 0 : 1]
      if (reason) events.event(about, 'Normal', reason, `Node ${identity.name} status is now: ${reason}`)
    }
  }
}

const reasons: Record<string, readonly [string, string]> = {
  Ready: ['NodeReady', 'NodeNotReady'],
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
  PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
}
