import { createHash } from 'node:crypto'
import type { Image } from '../cri.ts'
import { Addresses } from '../local/addresses.ts'
import type { Backend, End, ImageBackend } from '../local/backend.ts'
import type { ContainerRecord } from '../local/records.ts'

const defaultRange = '10.244.0.0/16'
/** What a small server would use. */
const memoryBytes = 12 * 1024 * 1024
const cpuShare = 0.002
const imageBytes = 10 * 1024 * 1024
const killedCode = 137
const terminatedCode = 143

/**
 * Containers that are records only. One comes to run `startMs` after its start and stays until it is stopped. A
 * container whose environment has GANTRY_HOLLOW_EXIT=`code` or `code:ms` ends by itself, for trying out crashes and jobs.
 */
export function hollowBackend(dataDir: string, startMs: number): Backend {
  const addresses = new Addresses(defaultRange)
  const running = new Map<string, { ended: (end: End) => void; timer?: NodeJS.Timeout }>()
  const run = (container: ContainerRecord, ended: (end: End) => void) => {
    const timer = plannedEnd(container, () => end(container.id, plannedExit(container)?.code ?? 0))
    running.set(container.id, { ended, ...(timer ? { timer } : {}) })
  }
  const end = (id: string, exitCode: number) => {
    const found = running.get(id)
    if (!found) return
    running.delete(id)
    clearTimeout(found.timer)
    found.ended({ exitCode })
  }
  return {
    name: 'gantry-hollow',
    version: '1.0.0',
    async start(container, _sandbox, ended) {
      if (startMs > 0) await new Promise((resolve) => setTimeout(resolve, startMs))
      run(container, ended)
      return {}
    },
    adopt: (container, _sandbox, ended) => run(container, ended),
    stop: ({ id }, timeoutSeconds) => end(id, timeoutSeconds > 0 ? terminatedCode : killedCode),
    async removeContainer({ id }) {
      running.delete(id)
    },
    async removeSandbox() {},
    async reopenLog() {},
    execSync: async () => ({ stdout: new Uint8Array(), stderr: new Uint8Array(), exitCode: 0 }),
    async exec(_container, _command, { stdout }) {
      stdout?.write('this container is hollow: nothing runs in it\n')
      return 0
    },
    async attach(_container, { signal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    },
    connect: async (_sandbox, port) => {
      throw new Error(`nothing listens on port ${port}: this pod is hollow`)
    },
    async stats({ startedAt }) {
      const timestamp = Date.now() * 1e6
      const value = (value: number) => ({ value })
      return {
        cpu: {
          timestamp,
          usageCoreNanoSeconds: value(Math.round((timestamp - startedAt) * cpuShare)),
          usageNanoCores: value(cpuShare * 1e9),
        },
        memory: {
          timestamp,
          workingSetBytes: value(memoryBytes),
          availableBytes: null,
          usageBytes: value(memoryBytes),
          rssBytes: value(memoryBytes),
          pageFaults: null,
          majorPageFaults: null,
        },
        writableLayer: null,
      }
    },
    images: hollowImages(dataDir),
    setPodRange: (cidr) => addresses.setRange(cidr),
    // There may be more hollow pods than a node's range has addresses, and nothing answers at them anyway.
    allocateIp: () => addresses.take(new Set()),
    close() {
      for (const { timer } of running.values()) clearTimeout(timer)
      running.clear()
    },
  }
}

/** Every image there is, is here as soon as it is pulled. */
function hollowImages(mountpoint: string): ImageBackend {
  const images = new Map<string, Image>()
  const find = (reference: string) => images.get(reference) ?? [...images.values()].find(({ id }) => id === reference)
  return {
    list: () => [...images.values()],
    // Nothing in a hollow container looks at it.
    directoryOf: () => mountpoint,
    find,
    async pull(reference) {
      const id = `sha256:${createHash('sha256').update(reference).digest('hex')}`
      const image: Image = {
        id,
        repoTags: [reference],
        repoDigests: [`${reference.replace(/[:@][^/]*$/, '')}@${id}`],
        size: imageBytes,
        uid: null,
        username: '',
        spec: null,
        pinned: false,
      }
      images.set(reference, image)
      return id
    },
    async remove(reference) {
      const image = find(reference)
      for (const [name, { id }] of images) if (id === image?.id) images.delete(name)
    },
    usage: () => [
      {
        timestamp: Date.now() * 1e6,
        fsId: { mountpoint },
        usedBytes: { value: images.size * imageBytes },
        inodesUsed: { value: images.size },
      },
    ],
  }
}

function plannedExit({ config }: ContainerRecord): { code: number; afterMs: number } | undefined {
  const text = config.envs.find(({ key }) => key === 'GANTRY_HOLLOW_EXIT')?.value
  if (text === undefined) return undefined
  const [code = 0, afterMs = 0] = text.split(':').map(Number)
  return { code, afterMs }
}

function plannedEnd(container: ContainerRecord, end: () => void): NodeJS.Timeout | undefined {
  const planned = plannedExit(container)
  return planned ? setTimeout(end, planned.afterMs).unref() : undefined
}
