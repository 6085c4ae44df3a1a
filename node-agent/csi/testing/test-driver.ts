import { existsSync, mkdirSync } from 'node:fs'
import { mkdir, rm, symlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isMountPoint } from '../../volumes/mount-points.ts'
import { bind, unmountAll } from '../../volumes/mounting.ts'
import { CsiError, type GrpcCode } from '../errors.ts'
import type { NodePublishVolumeRequest, NodeStageVolumeRequest } from '../messages.ts'
import { type Methods, serveCsi } from '../server.ts'
import { Registration } from './registration.ts'

/** What goes wrong with an rpc. */
export type Fault =
  /** It is never answered. */
  | 'hang'
  /** It is done, and the answer is a failure. */
  | 'lose'
  /** It is answered well, and nothing is done. */
  | 'lie'
  | { code: GrpcCode; why: string }

export interface TestDriverOptions {
  /** Sockets and volumes lie below it. */
  directory: string
  name?: string
  nodeCapabilities?: readonly string[]
  controllerCapabilities?: readonly string[]
  /** By which the driver knows the node. */
  nodeId?: string
  /** Where its volumes lie; several nodes may share it, as storage of a network. */
  volumesDirectory?: string
  topology?: Record<string, string>
  /** Told of every call, in the order of all drivers that tell. */
  heard?(method: string, request: Requests): void
  /** Whether volumes are mounted, rather than linked to. */
  mounts?: boolean
}

type Requests = Record<string, unknown> & Partial<NodePublishVolumeRequest>

/** A driver as somebody else would write it, which misbehaves as the test says. */
export class TestDriver {
  readonly name: string
  readonly socket: string
  /** What goes wrong, by the rpc's name; changed by the test at any time. */
  readonly faults = new Map<string, Fault>()
  /** What it was asked for, in order. */
  readonly calls: { method: string; request: Requests }[] = []
  /** What registration has told it. */
  get told() {
    return this.#registration.told
  }
  pluginType = 'CSIPlugin'
  supportedVersions = ['1.0.0']
  maxVolumes = 0
  /** How large it says that its volumes are; 0: it does not say. */
  tellsBytes = '1'
  readonly #options: TestDriverOptions
  #servers: { close(): void }[] = []
  readonly #registration = new Registration()

  private constructor(options: TestDriverOptions) {
    this.#options = options
    this.name = options.name ?? 'csi.test.example'
    this.socket = join(options.directory, `${this.name}.sock`)
    mkdirSync(options.directory, { recursive: true })
  }

  static async start(options: TestDriverOptions): Promise<TestDriver> {
    const driver = new TestDriver(options)
    driver.#servers = [await serveCsi(driver.socket, driver.#methods())]
    return driver
  }

  /** Puts its socket into the registry of an agent. */
  async register(registry: string): Promise<void> {
    const introduction = () => ({
      type: this.pluginType,
      name: this.name,
      endpoint: this.socket,
      supportedVersions: this.supportedVersions,
    })
    await this.#registration.enter(registry, introduction, (methods) => this.#wrapped(methods))
  }

  /** Takes it out again, as a driver that is removed does. */
  unregister(registry: string): Promise<void> {
    return this.#registration.leave(registry, this.name)
  }

  /** How often an rpc was called. */
  count(method: string): number {
    return this.calls.filter((call) => call.method === method).length
  }

  /** The last request of an rpc. */
  last(method: string): Requests {
    return this.calls.findLast((call) => call.method === method)?.request ?? {}
  }

  methods(): string[] {
    return this.calls.map(({ method }) => method)
  }

  stop(): void {
    this.#registration.close()
    for (const server of this.#servers) server.close()
  }

  #methods(): Methods {
    const { nodeCapabilities = ['STAGE_UNSTAGE_VOLUME'], controllerCapabilities = [], topology } = this.#options
    const { directory, volumesDirectory = join(directory, 'volumes'), nodeId = `${this.name}-node` } = this.#options
    const dataOf = (volumeId: string): string => join(volumesDirectory, volumeId)
    return this.#wrapped({
      NodeGetInfo: () => ({
        nodeId,
        maxVolumesPerNode: String(this.maxVolumes),
        ...(topology ? { accessibleTopology: { segments: topology } } : {}),
      }),
      NodeGetCapabilities: () => ({ capabilities: nodeCapabilities.map((type) => ({ rpc: { type } })) }),
      ControllerGetCapabilities: () => ({ capabilities: controllerCapabilities.map((type) => ({ rpc: { type } })) }),
      CreateVolume: ({ name }: { name: string }) => ({ volume: { volumeId: name, capacityBytes: this.tellsBytes } }),
      DeleteVolume: async ({ volumeId }: { volumeId: string }) => {
        await rm(dataOf(volumeId), { recursive: true, force: true })
        return {}
      },
      ControllerPublishVolume: () => ({ publishContext: {} }),
      ControllerUnpublishVolume: () => ({}),
      NodeGetVolumeStats: () => ({ usage: [{ unit: 'BYTES', total: '-1', available: '99', used: '-5' }] }),
      NodeStageVolume: async ({ volumeId, stagingTargetPath }: NodeStageVolumeRequest) => {
        await mkdir(dataOf(volumeId), { recursive: true })
        if (this.#options.mounts) await this.#show(dataOf(volumeId), stagingTargetPath)
        return {}
      },
      NodeUnstageVolume: async ({ stagingTargetPath }: NodeStageVolumeRequest) => {
        await unmountAll(stagingTargetPath)
        return {}
      },
      NodePublishVolume: async ({ volumeId, stagingTargetPath, targetPath }: NodePublishVolumeRequest) => {
        await mkdir(dataOf(volumeId), { recursive: true })
        await this.#show(this.#options.mounts && stagingTargetPath ? stagingTargetPath : dataOf(volumeId), targetPath)
        return {}
      },
      NodeUnpublishVolume: async ({ targetPath }: NodePublishVolumeRequest) => {
        await unmountAll(targetPath)
        await rm(targetPath, { recursive: true, force: true })
        return {}
      },
      NodeExpandVolume: () => ({ capacityBytes: '0' }),
    })
  }

  async #show(source: string, target: string): Promise<void> {
    if (this.#options.mounts) {
      await mkdir(target, { recursive: true })
      if (!(await isMountPoint(target))) await bind(target, source)
    } else {
      if (existsSync(target)) await unlink(target)
      await symlink(source, target)
    }
  }

  #wrapped(methods: Record<string, (request: never) => object | Promise<object>>): Methods {
    return Object.fromEntries(
      Object.entries(methods).map(([method, work]) => [
        method,
        async (request: never) => {
          this.calls.push({ method, request })
          this.#options.heard?.(method, request)
          const fault = this.faults.get(method)
          if (fault === 'hang') return new Promise<never>(() => undefined)
          if (fault === 'lie') return {}
          if (fault !== undefined && fault !== 'lose') throw new CsiError(fault.code, fault.why)
          const answer = await work(request)
          if (fault === 'lose') throw new CsiError('UNAVAILABLE', 'the answer was lost')
          return answer
        },
      ]),
    )
  }
}
