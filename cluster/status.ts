import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { explain } from '../cli/errors.ts'
import { processIo } from '../cli/io.ts'
import { gather } from '../cli/overview/gather.ts'
import { overviewOf } from '../cli/overview/overview.ts'
import { overviewText } from '../cli/overview/text.ts'
import { Session } from '../cli/session.ts'
import { dataDirOf } from './data-dir.ts'
import { layoutOf, supervisorName } from './layout.ts'
import { readSettings } from './settings.ts'
import { isRunning, type ProcessRecord, readRecords } from './supervisor/records.ts'

const help = `Usage: gantry status [flags]

Shows a cluster in one screen: nodes, workloads that are not as they should be and why, rollouts under way, warnings of
the last minutes; of a cluster of this machine, also its processes: whether they run, since when, how often they have come
back, their memory.

  --data-dir DIR      where the cluster of this machine is kept (default .gantry, or where $KUBECONFIG lies)
  --kubeconfig FILE   another cluster, instead
  --context NAME      the context of the kubeconfig
  -n, --namespace NS  only what is in this namespace; nodes are shown all the same
  --processes         only the processes
`
const answerMs = 5000

/** `gantry status`. Resolves to 0 when everything runs. */
export async function status(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'data-dir': { type: 'string' },
      kubeconfig: { type: 'string' },
      context: { type: 'string' },
      namespace: { type: 'string', short: 'n' },
      processes: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  if (values.kubeconfig || values.context)
    return showOverview({ ...pick(values, 'kubeconfig'), ...pick(values, 'context'), ...pick(values, 'namespace') })
  const layout = layoutOf(dataDirOf(values['data-dir']))
  const settings = readSettings(layout.settings)
  if (!settings && !values['data-dir'] && process.env.KUBECONFIG) return showOverview(pick(values, 'namespace'))
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
  if (records.some(isRunning) && !values.processes && existsSync(layout.kubeconfig)) {
    process.stdout.write('\n')
    await showOverview({ kubeconfig: layout.kubeconfig, ...pick(values, 'namespace') })
  }
  return supervised && records.every(isRunning) ? 0 : 1
}

/** What the API server knows; 1 where it does not answer. */
async function showOverview(flags: { kubeconfig?: string; context?: string; namespace?: string }): Promise<number> {
  const io = processIo()
  const session = new Session(io, { ...flags, requestTimeout: `${answerMs}ms` })
  try {
    const overview = overviewOf(await gather(session, flags.namespace), Date.now())
    const most = io.isTerminal.stdout ? 10 : Number.POSITIVE_INFINITY
    const colour = io.isTerminal.stdout && !process.env.NO_COLOR
    io.out(overviewText(overview, { nowMs: Date.now(), colour, most }))
    return 0
  } catch (error) {
    io.err(explain(error, session.server).text)
    return 1
  } finally {
    session.close()
  }
}

const pick = <K extends string>(values: { [key in K]?: string | undefined }, key: K): { [key in K]?: string } =>
  values[key] === undefined ? {} : ({ [key]: values[key] } as { [key in K]?: string })

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
