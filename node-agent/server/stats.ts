import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import type { ContainerStats, FilesystemUsage, Value } from '../runtime/cri.ts'
import type { Runtime } from '../runtime/index.ts'

/** What is used, of the node and of each container that runs, at one time. */
export interface Usage {
  node: { cpu: Cpu; memory: Memory; fs?: Disk; imageFs?: Disk }
  containers: ContainerUsage[]
}

export interface Cpu {
  timeMs: number
  coreNanoSeconds: number
  /** Since the last measurement; absent at the first. */
  nanoCores?: number
}

export interface Memory {
  timeMs: number
  workingSetBytes: number
  usageBytes: number
  rssBytes: number
  availableBytes?: number
  pageFaults?: number
  majorPageFaults?: number
}

export interface Disk {
  timeMs: number
  availableBytes: number
  capacityBytes: number
  usedBytes: number
  inodes: number
  inodesFree: number
}

export interface ContainerUsage {
  id: string
  name: string
  pod: { name: string; namespace: string; uid: string }
  cpu?: Cpu
  memory?: Memory
  /** What the container has written. */
  writtenBytes: number
}

/** The unit of /proc's times on every Linux there is. */
const ticksPerSecond = 100
/** Closer together, two measurements say little about a rate. */
const leastIntervalMs = 1000

/** Measures on demand; what it remembers is only the last measurement, for rates. */
export class Meter {
  readonly #runtime: Runtime
  readonly #last = new Map<string, Cpu>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  async measure(): Promise<Usage> {
    const { cri } = this.#runtime
    const [stats, { imageFilesystems }] = await Promise.all([cri.listContainerStats(), cri.imageFsInfo()])
    const containers = stats.map((stat) => this.#container(stat))
    const seen = new Set(['node', ...stats.map(({ attributes }) => attributes.id)])
    for (const id of this.#last.keys()) if (!seen.has(id)) this.#last.delete(id)
    const imagePath = imageFilesystems[0]?.fsId?.mountpoint
    const fs = await disk(imagePath ?? '/')
    const imageFs = imagePath === undefined ? undefined : { ...fs, usedBytes: sumOf(imageFilesystems) }
    const cpu = this.#rated('node', { timeMs: Date.now(), coreNanoSeconds: machineCpu() })
    return { node: { cpu, memory: machineMemory(), fs, ...(imageFs ? { imageFs } : {}) }, containers }
  }

  #container({ attributes, cpu, memory, writableLayer }: ContainerStats): ContainerUsage {
    const { id, labels } = attributes
    return {
      id,
      name: labels['io.kubernetes.container.name'] ?? attributes.metadata.name,
      pod: {
        name: labels['io.kubernetes.pod.name'] ?? '',
        namespace: labels['io.kubernetes.pod.namespace'] ?? '',
        uid: labels['io.kubernetes.pod.uid'] ?? '',
      },
      ...(cpu?.usageCoreNanoSeconds
        ? {
            cpu: this.#rated(id, {
              timeMs: cpu.timestamp / 1e6,
              coreNanoSeconds: cpu.usageCoreNanoSeconds.value,
              ...(cpu.usageNanoCores ? { nanoCores: cpu.usageNanoCores.value } : {}),
            }),
          }
        : {}),
      ...(memory
        ? {
            memory: {
              timeMs: memory.timestamp / 1e6,
              workingSetBytes: numberOf(memory.workingSetBytes),
              usageBytes: numberOf(memory.usageBytes),
              rssBytes: numberOf(memory.rssBytes),
              ...(memory.availableBytes?.value ? { availableBytes: memory.availableBytes.value } : {}),
              pageFaults: numberOf(memory.pageFaults),
              majorPageFaults: numberOf(memory.majorPageFaults),
            },
          }
        : {}),
      writtenBytes: numberOf(writableLayer?.usedBytes ?? null),
    }
  }

  #rated(id: string, now: Cpu): Cpu {
    const last = this.#last.get(id)
    if (now.nanoCores !== undefined) return now
    const rated = last
      ? {
          ...now,
          nanoCores:
            now.timeMs - last.timeMs >= leastIntervalMs
              ? Math.max(
                  0,
                  Math.round(((now.coreNanoSeconds - last.coreNanoSeconds) / (now.timeMs - last.timeMs)) * 1000),
                )
              : (last.nanoCores ?? 0),
        }
      : now
    if (!last || now.timeMs - last.timeMs >= leastIntervalMs) this.#last.set(id, rated)
    return rated
  }
}

const numberOf = (value: Value | null): number => value?.value ?? 0

const sumOf = (filesystems: readonly FilesystemUsage[]): number =>
  filesystems.reduce((sum, { usedBytes }) => sum + numberOf(usedBytes), 0)

async function disk(path: string): Promise<Disk> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path)
  return {
    timeMs: Date.now(),
    availableBytes: bavail * bsize,
    capacityBytes: blocks * bsize,
    usedBytes: (blocks - bfree) * bsize,
    inodes: files,
    inodesFree: ffree,
  }
}

/** Zero where there is no /proc. */
function machineCpu(): number {
  const [, ...times] = read('/proc/stat').split('\n', 1)[0]?.trim().split(/\s+/) ?? []
  // All but idle and waiting for the disk, and guests, which are in user time already.
  const busy = times.reduce((sum, ticks, i) => (i === 3 || i === 4 || i >= 8 ? sum : sum + Number(ticks)), 0)
  return (busy * 1e9) / ticksPerSecond
}

function machineMemory(): Memory {
  const text = read('/proc/meminfo')
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024
  const total = totalmem()
  const available = bytes('MemAvailable')
  return {
    timeMs: Date.now(),
    workingSetBytes: total - available,
    usageBytes: total - bytes('MemFree'),
    rssBytes: bytes('AnonPages'),
    availableBytes: available,
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
