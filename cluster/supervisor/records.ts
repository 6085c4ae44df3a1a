import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What is kept of a running process, so that another supervisor, or `gantry down`, finds it again. A process id alone
 * says little: the system gives it to others later. The start time tells them apart.
 */
export interface ProcessRecord {
  name: string
  pid: number
  /** Of the process with this id: see {@link startTimeOf}. */
  startTime: string
  startedAtMs: number
  /** What it was started as: another program or other flags give another. */
  fingerprint: string
  /** How often it has come back since the supervisor started. */
  restarts: number
}

/** When process `pid` started, in words that differ for every process of this machine; undefined if there is none. */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return psStartTime(pid)
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name, in parentheses, may hold anything.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie does nothing any more: its parent just has not looked.
    return state === 'Z' || state === 'X' ? undefined : `${bootId()}/${fields[18]}`
  } catch {
    return undefined
  }
}

/** Whether the very process of the record still runs. */
export const isRunning = (record: Pick<ProcessRecord, 'pid' | 'startTime'>): boolean =>
  startTimeOf(record.pid) === record.startTime

/** The records of `directory`, one a file. A file that makes no sense is as good as none. */
export function readRecords(directory: string): ProcessRecord[] {
  return namesIn(directory).flatMap((name) => readRecord(directory, name) ?? [])
}

/** The record of `name`, if there is one. */
export function readRecord(directory: string, name: string): ProcessRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as ProcessRecord
    return record.name === name && Number.isInteger(record.pid) ? record : undefined
  } catch {
    return undefined
  }
}

/** Writes a record as a whole: who reads meanwhile sees the old one or the new one. */
export function writeRecord(directory: string, record: ProcessRecord): void {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, `${record.name}.json`)
  writeFileSync(`${path}.tmp`, `${JSON.stringify(record)}\n`)
  renameSync(`${path}.tmp`, path)
}

/** Forgets `name`. */
export function removeRecord(directory: string, name: string): void {
  rmSync(join(directory, `${name}.json`), { force: true })
}

/**
 * Makes this process the one of `name`. Returns undefined when it is, or the record of the process that is already: of
 * two that try at once, one succeeds.
 */
export function claimRecord(directory: string, record: ProcessRecord): ProcessRecord | undefined {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, `${record.name}.json`)
  for (;;) {
    try {
      writeFileSync(path, `${JSON.stringify(record)}\n`, { flag: 'wx' })
      return undefined
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const standing = readRecord(directory, record.name)
    if (standing && isRunning(standing)) return standing
    rmSync(path, { force: true })
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .sort()
  } catch {
    return []
  }
}

let knownBootId: string | undefined

/** Start times count from the start of the machine: after another one they would repeat. */
function bootId(): string {
  knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return knownBootId
}

function psStartTime(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' })
    const [state = 'Z', ...words] = text.trim().split(/\s+/)
    return state.startsWith('Z') ? undefined : words.join(' ')
  } catch {
    return undefined
  }
}
