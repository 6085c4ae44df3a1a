import { readFileSync } from 'node:fs'
import type { ContainerStats } from '../cri.ts'

const pageBytes = 4096
/** The unit of /proc's times on every Linux there is. */
const ticksPerSecond = 100

/** What a process and those it started take up now. Zeros where there is no /proc. */
export function processStats(pid: number): Omit<ContainerStats, 'attributes'> {
  let ticks = 0
  let pages = 0
  const visit = (pid: number) => {
    const stat = read(`/proc/${pid}/stat`)
    if (stat === '') return
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // User and system time, and those of children that have ended.
    for (const at of [11, 12, 13, 14]) ticks += Number(fields[at] ?? 0)
    pages += Number(fields[21] ?? 0)
    for (const child of read(`/proc/${pid}/task/${pid}/children`).split(' ')) if (child) visit(Number(child))
  }
  if (pid > 0) visit(pid)
  const timestamp = Date.now() * 1e6
  const bytes = { value: pages * pageBytes }
  return {
    cpu: { timestamp, usageCoreNanoSeconds: { value: (ticks * 1e9) / ticksPerSecond }, usageNanoCores: null },
    memory: {
      timestamp,
      workingSetBytes: bytes,
      availableBytes: null,
      usageBytes: bytes,
      rssBytes: bytes,
      pageFaults: null,
      majorPageFaults: null,
    },
    writableLayer: null,
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return ''
  }
}
