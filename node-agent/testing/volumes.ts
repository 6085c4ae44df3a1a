import { execFileSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PersistentVolumeSpec, Volume } from '../../api/generated/types.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { BoundPod } from '../pods/types.ts'
import { unmountAll } from '../volumes/mounting.ts'
import { placeOf } from '../volumes/places.ts'
import type { VolumeContext, VolumePlugin, VolumeSpec } from '../volumes/types.ts'
import { boundPod } from './builders.ts'

/** Whether tests may mount file systems here. */
export const mayMount = process.platform === 'linux' && process.getuid?.() === 0

/** A machine's directories in which plugins are tried without an agent; what they mount goes when it is closed. */
export class VolumeRig {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), 'volumes-')))
  readonly clock = new FakeClock()
  readonly api = new MemoryApi({ clock: this.clock })
  /** What pods were warned of, as `reason: message`. */
  readonly warnings: string[] = []
  readonly #disks: string[] = []

  /** What a plugin is given for a volume of a pod. */
  contextFor(plugin: VolumePlugin, spec: VolumeSpec, pod: BoundPod = boundPod()): VolumeContext {
    const { directory, clock, warnings, api } = this
    const directories = {
      podsDirectory: join(directory, 'pods'),
      memoryDirectory: join(directory, 'memory'),
      pluginsDirectory: join(directory, 'plugins'),
    }
    return {
      ...placeOf(directories, pod.metadata.uid, plugin.name, spec),
      pod,
      api,
      objects: { configMap: async () => undefined, secret: async () => undefined },
      tokens: { token: async () => ({ token: '', refreshAt: 0, expiresAt: 0 }) },
      facts: () => ({ podIps: [], hostIps: [], nodeName: 'n1', allocatable: {} }),
      warn: (reason, message) => void warnings.push(`${reason}: ${message}`),
      mayMount,
      clock,
      signal: new AbortController().signal,
    }
  }

  /** An empty disk: a file on a loop device. */
  disk(megabytes = 16): string {
    const file = join(this.directory, `disk-${this.#disks.length}.img`)
    writeFileSync(file, '')
    truncateSync(file, megabytes * 2 ** 20)
    const device = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim()
    this.#disks.push(device)
    return device
  }

  async close(): Promise<void> {
    if (mayMount) await unmountAll(this.directory)
    for (const device of this.#disks) execFileSync('losetup', ['--detach', device])
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** A persistent volume `name` as a plugin is asked for it. */
export function persistentSpec(name: string, spec: PersistentVolumeSpec, more: Partial<VolumeSpec> = {}): VolumeSpec {
  const volume: Volume = { name: 'data', persistentVolumeClaim: { claimName: 'disk' } }
  const claim = { metadata: { name: 'disk', namespace: 'default' } }
  const mode = spec.volumeMode === 'Block' ? 'Block' : 'Filesystem'
  return { name, volume, persistent: { volume: { metadata: { name }, spec }, claim }, mode, readOnly: false, ...more }
}
