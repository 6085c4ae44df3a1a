import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * When a process began, in a form that only serves to compare: a number that is given again to another process is told
 * from the first by it. Undefined: there is no such process, or it has ended and only waits to be buried.
 */
export function startTicks(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  try {
    // After the name in brackets, which may hold anything: the state, and 19 fields on, the start.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return process.platform === 'linux' ? undefined : startOf(pid)
  }
}

/** Whether the process that began then still runs. */
export function isAlive(pid: number, ticks: string): boolean {
  const now = startTicks(pid)
  return now !== undefined && (ticks === '' || now === ticks)
}

/** Where there is no /proc. */
function startOf(pid: number): string | undefined {
  try {
    const [state = '', ...start] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)
    return state === '' || state.startsWith('Z') ? undefined : start.join('_')
  } catch {
    return undefined
  }
}
