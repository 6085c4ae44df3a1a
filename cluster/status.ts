import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { layoutOf, supervisorName } from './layout.ts'
import { readSettings } from './settings.ts'
import { isRunning, type ProcessRecord, readRecords } from './supervisor/records.ts'

const help = `Usage: gantry status [flags]

Shows the processes of a cluster: whether they run, since when, how often they have come back, their memory.

  --data-dir DIR   where the cluster is kept (default .gantry)
`

/** `gantry status`. Resolves to 0 when everything runs. */
export async function status(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'data-dir': { type: 'string', default: '.gantry' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const layout = layoutOf(values['data-dir'])
  const settings = readSettings(layout.settings)
  if (!settings) {
    process.stderr.write(
      `gantry status: there is no cluster in ${layout.dataDir}. Name its directory with --data-dir\n`,
    )
    return 1
  }
  const records = readRecords(layout.run)
  const supervised = records.some((record) => record.name === supervisorName && isRunning(record))
  process.stdout.write(`${processTable(records, Date.now())}\n`)
  if (records.length === 0) process.stdout.write('The cluster does not run. gantry up starts it.\n')
  else if (!supervised) process.stdout.write('Nobody supervises them. gantry up takes over.\n')
  else process.stdout.write(`\n  export KUBECONFIG=${layout.kubeconfig}\n`)
  return supervised && records.every(isRunning) ? 0 : 1
}

/** The processes as a table for people. */
export function processTable(records: readonly ProcessRecord[], nowMs: number): string {
  const rows = [
    ['NAME', 'PID', 'STATE', 'RESTARTS', 'MEMORY', 'AGE'],
    ...records.map((record) => {
      const running = isRunning(record)
      return [
        record.name,
        String(record.pid),
        running ? 'running' : 'ended',
        String(record.restarts),
        running ? memoryOf(record.pid) : '-',
        ageText(nowMs - record.startedAtMs),
      ]
    }),
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
}

/** Resident memory, where the system tells. */
function memoryOf(pid: number): string {
  try {
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? '-' : `${Math.round(Number(kilobytes) / 1024)}Mi`
  } catch {
    return '-'
  }
}

function ageText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`
}
