import { join } from 'node:path'
import type {
  CSIDriverSpec,
  PersistentVolumeClaim,
  PersistentVolumeSpec,
  Volume,
} from '../../../api/generated/types.ts'
import { silentLogger } from '../../../client/logger.ts'
import { csiDrivers, persistentVolumeClaims, persistentVolumes } from '../../../client/resources.ts'
import { MemoryApi } from '../../../client/testing/memory-api.ts'
import type { Clock } from '../../../client/types.ts'
import type { BoundPod } from '../../pods/types.ts'
import { boundPod } from '../../testing/builders.ts'
import { CsiVolumes } from '../../volumes/csi.ts'
import { placeOf } from '../../volumes/places.ts'
import type { Mounted, VolumeContext, VolumePlace, VolumeSpec } from '../../volumes/types.ts'
import { CsiDrivers } from '../drivers.ts'
import type { TestDriver } from './test-driver.ts'

export interface RigOptions {
  directory: string
  clock: Clock
  mayMount?: boolean
  drivers?: CsiDrivers
}

/** Volumes of storage drivers on a node, with an API in memory. */
export class VolumesRig {
  readonly api = new MemoryApi()
  readonly told: { type: string; reason: string; message: string }[] = []
  readonly refreshed: string[] = []
  /** By `namespace/name`. */
  readonly secrets = new Map<string, Record<string, string>>()
  drivers: CsiDrivers
  volumes: CsiVolumes
  readonly #options: RigOptions
  readonly #end = new AbortController()

  constructor(options: RigOptions) {
    this.#options = options
    this.drivers = options.drivers ?? new CsiDrivers()
    this.volumes = this.#start()
  }

  /** Makes the driver known to the node and, with a spec, to the API. */
  async add(driver: TestDriver, spec: CSIDriverSpec = { attachRequired: false }): Promise<void> {
    this.drivers.add({
      name: driver.name,
      socket: driver.socket,
      info: { nodeId: 'n1', maxVolumesPerNode: '0', accessibleTopology: null },
    })
    await this.api.create(csiDrivers, { metadata: { name: driver.name }, spec })
  }

  /** The agent starts anew, and knows only what it finds. */
  async restart(): Promise<void> {
    this.volumes = this.#start()
    await this.volumes.recall()
  }

  /** A claim of that name, bound to a volume of the driver; the spec that a pod's claim leads to. */
  async claim(
    driver: string,
    given: {
      name?: string
      handle?: string
      pv?: Partial<PersistentVolumeSpec>
      csi?: Partial<PersistentVolumeSpec['csi'] & object>
      status?: PersistentVolumeClaim['status']
    } = {},
  ): Promise<VolumeSpec> {
    const { name = 'disk', handle = 'vol-1', pv = {}, csi, status } = given
    await this.api.create(persistentVolumes, {
      metadata: { name: `pv-${name}` },
      spec: { accessModes: ['ReadWriteOnce'], ...pv, csi: { driver, volumeHandle: handle, ...csi } },
    })
    await this.api.create(persistentVolumeClaims, {
      metadata: { name, namespace: 'default' },
      spec: { volumeName: `pv-${name}` },
      ...(status ? { status } : {}),
    })
    return this.spec(name)
  }

  /** As it stands in the API now. */
  async spec(name = 'disk'): Promise<VolumeSpec> {
    const volume = await this.api.get(persistentVolumes, { name: `pv-${name}` })
    const claim = await this.api.get(persistentVolumeClaims, { namespace: 'default', name })
    return {
      name: `pv-${name}`,
      volume: { name: 'data', persistentVolumeClaim: { claimName: name } },
      persistent: { volume, claim },
      mode: volume.spec?.volumeMode === 'Block' ? 'Block' : 'Filesystem',
      readOnly: false,
    }
  }

  inline(driver: string, more: Partial<NonNullable<Volume['csi']>> = {}): VolumeSpec {
    return {
      name: 'scratch',
      volume: { name: 'scratch', csi: { driver, ...more } },
      mode: 'Filesystem',
      readOnly: false,
    }
  }

  mount(spec: VolumeSpec, pod = boundPod(), signal = new AbortController().signal): Promise<Mounted> {
    return this.volumes.mount(spec, this.context(spec, pod, signal))
  }

  refresh(spec: VolumeSpec, pod = boundPod()): Promise<number | undefined> {
    return this.volumes.refresh(spec, this.context(spec, pod))
  }

  unmount(spec: VolumeSpec, pod = boundPod()): Promise<void> {
    return this.volumes.unmount(this.#place(spec, pod))
  }

  context(spec: VolumeSpec, pod: BoundPod, signal = new AbortController().signal): VolumeContext {
    const { clock, mayMount = false } = this.#options
    return {
      ...this.#place(spec, pod),
      pod,
      objects: {
        configMap: async () => undefined,
        secret: async (namespace, name) => {
          const data = this.secrets.get(`${namespace}/${name}`)
          const encode = (text: string): string => Buffer.from(text).toString('base64')
          if (!data) return undefined
          const entries = Object.entries(data).map(([key, text]) => [key, encode(text)])
          return { metadata: { name }, data: Object.fromEntries(entries) }
        },
      },
      tokens: {
        token: async (_, audience) => ({ token: `token-${audience}`, refreshAt: 0, expiresAt: 1_767_225_600_000 }),
      },
      warn: () => undefined,
      api: this.api,
      facts: () => ({ podIps: [], hostIps: [], nodeName: 'n1', allocatable: {} }),
      mayMount,
      clock,
      signal,
    }
  }

  close(): void {
    this.#end.abort()
    this.drivers.stop()
  }

  #place(spec: VolumeSpec, pod: BoundPod): VolumePlace {
    const { directory } = this.#options
    const directories = {
      podsDirectory: join(directory, 'pods'),
      memoryDirectory: join(directory, 'memory'),
      pluginsDirectory: join(directory, 'plugins'),
    }
    return placeOf(directories, pod.metadata.uid, 'kubernetes.io~csi', spec)
  }

  #start(): CsiVolumes {
    const { directory, clock } = this.#options
    return new CsiVolumes({
      api: this.api,
      clock,
      log: silentLogger,
      events: { event: (_, type, reason, message) => this.told.push({ type, reason, message }) },
      drivers: this.drivers,
      nodeName: 'n1',
      podsDirectory: join(directory, 'pods'),
      pluginsDirectory: join(directory, 'plugins'),
      inUseChanged: () => undefined,
      refresh: (uid) => this.refreshed.push(uid),
      signal: this.#end.signal,
    })
  }
}
