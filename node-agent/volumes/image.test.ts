import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { importImage } from '../runtime/containerd/import.ts'
import { openStore } from '../runtime/containerd/store.ts'
import { openRuntime, type Runtime } from '../runtime/index.ts'
import { busyboxImage, busyboxPath, silent } from '../runtime/testing.ts'
import { mayMount, VolumeRig } from '../testing/volumes.ts'
import { imageVolume } from './image.ts'
import { isMountPoint } from './mount-points.ts'
import type { VolumeSpec } from './types.ts'

const reference = 'localhost/test/busybox:1'
const spec = (image = reference): VolumeSpec => ({
  name: 'tools',
  volume: { name: 'tools', image: { reference: image } },
  mode: 'Filesystem',
  readOnly: true,
})

describe.runIf(mayMount && existsSync('/usr/bin/containerd') && existsSync(busyboxPath))(
  'the files of an image',
  () => {
    let dataDir: string
    let runtime: Runtime
    let rig: VolumeRig

    beforeAll(async () => {
      dataDir = mkdtempSync(join(tmpdir(), 'gantry-image-volume-'))
      const cniConfDir = join(dataDir, 'net.d')
      mkdirSync(cniConfDir)
      const { signal } = new AbortController()
      const places = { dataDir, nodeName: 'n', cniConfDir, cniBinDir: '/usr/lib/cni' }
      runtime = await openRuntime({ kind: 'containerd', ...places, signal, log: silent })
      const store = openStore(runtime.endpoint)
      await importImage(store, await busyboxImage(reference))
      store.close()
    }, 60_000)
    afterAll(async () => {
      await runtime?.stop()
      rmSync(dataDir, { recursive: true, force: true })
    })
    beforeEach(() => {
      rig = new VolumeRig()
    })
    afterEach(() => rig.close())

    it('are mounted, cannot be written to, and go without a trace', async () => {
      const plugin = imageVolume(runtime)
      const context = rig.contextFor(plugin, spec())
      const { hostPath, readOnly } = await plugin.mount(spec(), context)
      // Asked again, as after a restart.
      await plugin.mount(spec(), context)
      expect(readOnly).toBe(true)
      expect(readFileSync(join(hostPath, 'bin/busybox')).equals(readFileSync(busyboxPath))).toBe(true)
      expect(() => writeFileSync(join(hostPath, 'new'), '')).toThrow('EROFS')
      await plugin.unmount?.(context)
      await plugin.unmount?.(context)
      expect(await isMountPoint(context.directory)).toBe(false)
      // A view that was left would be taken again: its name is free.
      await plugin.mount(spec(), context)
      await plugin.unmount?.(context)
    })

    it('stay when the image is removed meanwhile', async () => {
      const plugin = imageVolume(runtime)
      const other = 'localhost/test/other:1'
      const store = openStore(runtime.endpoint)
      await importImage(store, await busyboxImage(other))
      store.close()
      const context = rig.contextFor(plugin, spec(other))
      const { hostPath } = await plugin.mount(spec(other), context)
      await runtime.cri.removeImage({ image: other })
      execFileSync(join(hostPath, 'bin/busybox'), ['true'])
      await plugin.unmount?.(context)
    })

    it('of an image that is not there are not mounted', async () => {
      const plugin = imageVolume(runtime)
      const missing = spec('localhost/no/such:1')
      await expect(plugin.mount(missing, rig.contextFor(plugin, missing))).rejects.toThrow(
        'image "localhost/no/such:1" is not on this node',
      )
    })
  },
)
