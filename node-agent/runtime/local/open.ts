import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { connectCri } from '../client.ts'
import { criEvents, keepListening } from '../events.ts'
import type { Runtime, RuntimeOptions } from '../index.ts'
import { socketPath } from '../socket-path.ts'
import type { Backend } from './backend.ts'
import { serveCri } from './grpc-server.ts'
import { localService } from './service.ts'
import { startStreamServer } from './stream-server.ts'

/**
 * Serves the Container Runtime Interface over one of our own backends on a socket, as any other runtime would, and
 * connects to it.
 */
export async function openLocalRuntime(
  options: RuntimeOptions,
  name: 'process' | 'hollow',
  makeBackend: (dataDir: string) => Backend,
): Promise<Runtime> {
  const { dataDir, signal } = options
  mkdirSync(dataDir, { recursive: true })
  const backend = makeBackend(dataDir)
  const streams = await startStreamServer()
  const service = localService({ dataDir: join(dataDir, 'state'), backend, streams })
  const socket = socketPath(dataDir, `${name}.sock`)
  rmSync(socket, { force: true })
  const endpoint = `unix://${socket}`
  const server = await serveCri(endpoint, service)
  const cri = connectCri(endpoint)
  const stopped = new AbortController()
  const stop = async () => {
    stopped.abort()
    cri.close()
    server.close()
    streams.close()
    service.close()
  }
  signal.addEventListener('abort', () => void stop(), { once: true })
  return {
    name,
    version: backend.version,
    endpoint,
    cri,
    async viewImage(imageId) {
      const directory = backend.images.directoryOf(imageId)
      if (directory === undefined) throw new Error(`image ${imageId} has no files`)
      return { directory }
    },
    releaseView: async () => undefined,
    events: (signal) => keepListening((signal) => criEvents(cri, signal), AbortSignal.any([signal, stopped.signal])),
    stop,
  }
}
