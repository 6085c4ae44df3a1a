import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectCri } from '../client.ts'
import { type Cri, CriError } from '../cri.ts'
import { criEvents, keepListening } from '../events.ts'
import type { Runtime, RuntimeOptions } from '../index.ts'
import { socketPath } from '../socket-path.ts'
import { startContainerd } from './child.ts'
import { containerdEvents } from './events.ts'
import { imageViews } from './image-views.ts'
import { pauseImageName } from './pause-name.ts'

const readyTimeoutMs = 30_000

/** A private containerd with a sandbox image of our own, or one that listens at `endpoint` already, left as it is. */
export async function openContainerd(options: RuntimeOptions): Promise<Runtime> {
  const { dataDir, signal } = options
  const sandboxImage = options.sandboxImage ?? pauseImageName
  const socket = socketPath(dataDir, 'containerd.sock')
  const endpoint = options.endpoint ?? `unix://${socket}`
  const child = options.endpoint === undefined ? await startContainerd({ ...options, sandboxImage, socket }) : undefined
  const cri = connectCri(endpoint)
  try {
    const { runtimeVersion } = await answering(cri, signal)
    if (child && sandboxImage === pauseImageName) await ensurePauseImage(endpoint)
    const native = containerdEvents(endpoint, cri)
    const stopped = new AbortController()
    let implemented = true
    return {
      name: 'containerd',
      version: runtimeVersion,
      endpoint,
      cri,
      ...imageViews(endpoint),
      events: (signal) =>
        keepListening(
          async function* (signal) {
            try {
              if (implemented) return yield* native.listen(signal)
            } catch (error) {
              if (!(error instanceof CriError && error.code === 'unimplemented')) throw error
              implemented = false
            }
            yield* criEvents(cri, signal)
          },
          AbortSignal.any([signal, stopped.signal]),
        ),
      async stop() {
        stopped.abort()
        native.close()
        cri.close()
        await child?.stop()
      },
    }
  } catch (error) {
    cri.close()
    await child?.stop()
    const said = child ? `; it said last:\n${lastLines(join(dataDir, 'containerd.log'))}` : ''
    throw new Error(`containerd at ${endpoint} does not work: ${(error as Error).message}${said}`)
  }
}

/** Waits until the runtime answers. */
async function answering(cri: Cri, signal: AbortSignal) {
  const deadline = Date.now() + readyTimeoutMs
  for (;;) {
    try {
      const version = await cri.version()
      // The version is told while all else is still refused.
      await cri.status()
      return version
    } catch (error) {
      signal.throwIfAborted()
      const starting =
        error instanceof CriError &&
        (error.code === 'unavailable' || error.code === 'unimplemented' || error.message.includes('not initialized'))
      if (!starting || Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}

function lastLines(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-5).join('\n')
}

/** What it takes to make and bring in an image is loaded only where it is missing. */
async function ensurePauseImage(endpoint: string): Promise<void> {
  const [{ openStore }, { pauseImage }, { importImage }] = await Promise.all([
    import('./store.ts'),
    import('./pause-image.ts'),
    import('./import.ts'),
  ])
  const store = openStore(endpoint)
  try {
    const image = await pauseImage()
    const present = await store.image(pauseImageName)
    if (present?.target.digest !== image.manifest.descriptor.digest) await importImage(store, image)
  } finally {
    store.close()
  }
}
