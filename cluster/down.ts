import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { endContainers } from './end-containers.ts'
import { type Layout, layoutOf, supervisorName } from './layout.ts'
import { readSettings } from './settings.ts'
import { endProcess } from './supervisor/end.ts'
import { isRunning, type ProcessRecord, readRecord, readRecords, removeRecord } from './supervisor/records.ts'

const help = `Usage: gantry down [flags]

Ends the cluster of a directory: its containers, its network and every process that gantry up started. What was made is
kept; gantry up goes on with it.

  --data-dir DIR   where the cluster is kept (default .gantry)
  --delete-data    remove the directory too, and with it everything that was made
`

/** More than any component may take for its end. */
const supervisorGraceMs = 120_000
const componentGraceMs = 20_000

/** `gantry down`. Resolves to the exit code. */
export async function down(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'data-dir': { type: 'string', default: '.gantry' },
      'delete-data': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const layout = layoutOf(values['data-dir'])
  // Nothing is removed that does not look like ours.
  if (!existsSync(layout.settings)) {
    process.stderr.write(`gantry down: there is no cluster in ${layout.dataDir}. Name its directory with --data-dir\n`)
    return 1
  }
  const ended = await endCluster(layout)
  if (values['delete-data']) {
    unmountAll(layout.dataDir)
    rmSync(layout.dataDir, { recursive: true, force: true })
  }
  const data = values['delete-data'] ? 'its data are removed' : `everything is kept in ${layout.dataDir}`
  process.stdout.write(`${ended ? 'The cluster has ended' : 'The cluster was not running'}; ${data}.\n`)
  return 0
}

/** Ends what runs of a cluster, and says whether anything did. Works as well when its supervisor was killed. */
async function endCluster(layout: Layout): Promise<boolean> {
  const supervisor = readRecord(layout.run, supervisorName)
  const ran = supervisor !== undefined && isRunning(supervisor)
  if (ran) await endProcess(supervisor, { graceMs: supervisorGraceMs })
  // Children of a supervisor that is gone: those first that others do not need.
  const left = readRecords(layout.run).filter(isRunning)
  for (const wave of [isAgent, isController, isServer, () => true]) {
    await Promise.all(
      left.filter(({ name }) => wave(name)).map((record) => endProcess(record, { graceMs: componentGraceMs })),
    )
  }
  for (const { name } of readRecords(layout.run)) removeRecord(layout.run, name)
  const settings = readSettings(layout.settings)
  const containers = settings ? await endContainers(layout, settings) : 0
  return ran || left.length > 0 || containers > 0
}

/** What containers and volumes have mounted below a directory would keep it, and removing it would reach through. */
function unmountAll(directory: string): void {
  if (process.platform !== 'linux') return
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((path) => path.startsWith(`${directory}/`))
  // Those mounted last lie over others.
  for (const path of mounted.reverse()) execFileSync('umount', ['--lazy', path], { stdio: 'ignore' })
}

const isAgent = (name: string) => name.startsWith('agent-')
const isController = (name: ProcessRecord['name']) => ['scheduler', 'controller-manager'].includes(name)
const isServer = (name: string) => name === 'apiserver'
