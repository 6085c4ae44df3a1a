import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Blob, OciImage } from '../../node-agent/images/oci/image.ts'
import { fileLayer, writeLayer } from '../../node-agent/images/oci/layer-file.ts'
import { importImage } from '../../node-agent/runtime/containerd/import.ts'
import { openStore } from '../../node-agent/runtime/containerd/store.ts'
import type { Cri } from '../../node-agent/runtime/cri.ts'
import type { ImageTarget } from './targets.ts'

interface RunOptions {
  target: ImageTarget
  workDir: string
  output(text: string): void
}

export interface RanStep {
  layer: Blob
  /** The layer is all there is: those below it are in it. */
  replaces: boolean
}

/** Runs a command on top of an image, and resolves to what it has changed. Throws an Error when it fails. */
export function runStep(image: OciImage, words: readonly string[], options: RunOptions): Promise<RanStep> {
  const { cri, endpoint } = options.target
  return cri && endpoint ? runInContainer(image, words, options, cri, endpoint) : runOnMachine(image, words, options)
}

async function runInContainer(
  image: OciImage,
  words: readonly string[],
  { workDir, output }: RunOptions,
  cri: Cri,
  endpoint: string,
): Promise<RanStep> {
  const store = openStore(endpoint)
  const uid = randomUUID()
  // The machine's network: a build fetches things, and is nobody's pod.
  const namespaceOptions = { network: 'NODE', pid: 'CONTAINER', ipc: 'POD' } as const
  const sandbox = {
    metadata: { name: 'build', namespace: 'gantry-build', uid, attempt: 0 },
    logDirectory: mkdtempSync(join(workDir, 'run-')),
    linux: { securityContext: { namespaceOptions } },
  }
  let sandboxId = ''
  try {
    await importImage(store, image)
    const name = image.names[0]!
    await appears(cri, name)
    sandboxId = await cri.runPodSandbox({ config: sandbox })
    const id = await cri.createContainer({
      podSandboxId: sandboxId,
      sandboxConfig: sandbox,
      config: {
        metadata: { name: 'run', attempt: 0 },
        image: { image: name },
        command: words,
        logPath: 'run.log',
        linux: { securityContext: { namespaceOptions } },
      },
    })
    await cri.startContainer(id)
    const exitCode = await followed(cri, id, join(sandbox.logDirectory, 'run.log'), output)
    if (exitCode !== 0) throw new Error(`the command ended with ${exitCode}`)
    const viewKey = `gantry-build-${uid}`
    const below = await store.viewSnapshot(viewKey, await store.snapshotParent(id))
    try {
      const mounts = await store.snapshotMounts(id)
      const path = join(workDir, `run-${uid}.tar`)
      // Copied at once: containerd throws away what nothing refers to.
      const { digest } = await store.withLease(async () => {
        const layer = await store.diff(below, mounts)
        await pipeline(Readable.from(store.read(layer.digest)), createWriteStream(path))
        return layer
      })
      return { layer: fileLayer(path, digest), replaces: false }
    } finally {
      await store.removeSnapshot(viewKey)
    }
  } finally {
    if (sandboxId !== '') {
      await cri.stopPodSandbox(sandboxId)
      await cri.removePodSandbox(sandboxId)
    }
    await store.removeImage(image.names[0]!)
  }
}

/** The interface hears of an image a moment after it is there. */
async function appears(cri: Cri, image: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await cri.imageStatus({ image })).image) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`the runtime does not see ${image}`)
}

async function followed(cri: Cri, id: string, logPath: string, output: (text: string) => void): Promise<number> {
  let shown = 0
  const show = () => {
    if (!existsSync(logPath)) return
    const lines = readFileSync(logPath, 'utf8').split('\n').slice(0, -1)
    for (const line of lines.slice(shown)) output(`${line.replace(/^\S+ \S+ \S+ /, '')}\n`)
    shown = lines.length
  }
  for (;;) {
    const { state, exitCode } = (await cri.containerStatus(id)).status
    show()
    if (state === 'CONTAINER_EXITED') return exitCode
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Without containers: in a directory that stands for the image's root, as the process runtime would. */
async function runOnMachine(
  image: OciImage,
  words: readonly string[],
  { workDir, output }: RunOptions,
): Promise<RanStep> {
  const { unpackLayer } = await import('../../node-agent/images/oci/unpack.ts')
  const { hostCommand } = await import('../../node-agent/runtime/process/command.ts')
  const root = mkdtempSync(join(workDir, 'root-'))
  for (const layer of image.layers) await unpackLayer(layer, root)
  const config = {
    command: [],
    args: [],
    workingDir: '',
    envs: [],
    mounts: [],
  }
  const source = { config: config as never, image: image.parsed.config, root, podIp: '' }
  const { file, args, env, cwd } = hostCommand(source, words)
  mkdirSync(cwd, { recursive: true })
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.on('data', (chunk: Buffer) => output(chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => output(chunk.toString()))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`the command ended with ${code}`)
  const layer = await writeLayer(join(workDir, `run-${randomUUID()}.tar`), [{ name: '', source: root }])
  return { layer, replaces: true }
}
