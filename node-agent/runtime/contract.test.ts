import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importImage } from './containerd/import.ts'
import { openStore } from './containerd/store.ts'
import { runtimeContract } from './contract.ts'
import { openRuntime, type Runtime, type RuntimeKind } from './index.ts'
import { DirectoryImages } from './process/images.ts'
import { busyboxImage, busyboxPath, silent } from './testing.ts'

const image = 'localhost/test/busybox:1'

function setUp(kind: RuntimeKind) {
  const dataDir = mkdtempSync(join(tmpdir(), `gantry-${kind}-`))
  const cniConfDir = join(dataDir, 'net.d')
  mkdirSync(cniConfDir)
  const open = () => {
    const signal = new AbortController().signal
    return openRuntime({ kind, dataDir, nodeName: 'n', cniConfDir, cniBinDir: '/usr/lib/cni', signal, log: silent })
  }
  return { dataDir, cniConfDir, open }
}

runtimeContract('hollow', { runs: false }, async () => {
  const { dataDir, open } = setUp('hollow')
  let runtime = await open()
  await runtime.cri.pullImage({ image: { image } })
  return {
    runtime,
    image,
    async reopen() {
      await runtime.stop()
      runtime = await open()
      await runtime.cri.pullImage({ image: { image } })
      return runtime
    },
    async dispose() {
      await runtime.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
})

runtimeContract('process', { runs: true }, async () => {
  const { dataDir, open } = setUp('process')
  if (existsSync(busyboxPath)) await new DirectoryImages(join(dataDir, 'images')).load(await busyboxImage(image))
  let runtime = await open()
  return {
    runtime,
    image,
    async reopen() {
      await runtime.stop()
      runtime = await open()
      return runtime
    },
    async dispose() {
      await runtime.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
})

const canRunContainerd = process.getuid?.() === 0 && existsSync('/usr/bin/containerd') && existsSync(busyboxPath)
if (canRunContainerd) {
  runtimeContract('containerd', { runs: true }, async () => {
    const { dataDir, cniConfDir, open } = setUp('containerd')
    // Between the pod and the host only, and gone with the pod.
    const ipam = { type: 'host-local', dataDir: join(dataDir, 'cni'), ranges: [[{ subnet: '10.213.77.0/24' }]] }
    const network = { cniVersion: '1.0.0', name: 'test', plugins: [{ type: 'ptp', ipam }] }
    writeFileSync(join(cniConfDir, '10-test.conflist'), JSON.stringify(network))
    const opened: Runtime[] = [await open()]
    const store = openStore(opened[0]!.endpoint)
    await importImage(store, await busyboxImage(image))
    store.close()
    return {
      runtime: opened[0]!,
      image,
      async reopen() {
        // As if killed: the old one's connections are left, and nothing is stopped.
        const again = await open()
        opened.push(again)
        return again
      },
      async dispose() {
        for (const runtime of opened) await runtime.stop()
        rmSync(dataDir, { recursive: true, force: true })
      },
    }
  })
}
