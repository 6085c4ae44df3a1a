import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type ClusterPlan, componentsOf, credentialsFor, hasNamespaces, nodeNames } from './components.ts'
import { credentialsAreCurrent } from './credentials-stamp.ts'
import { gantryCommand } from './gantry-program.ts'
import { type Layout, layoutOf, supervisorName } from './layout.ts'
import type { PreparedNodes } from './nodes-command.ts'
import { freePort } from './ports.ts'
import { chooseRuntime, findProgram, thisMachine } from './runtime-choice.ts'
import { parseUpFlags, readSettings, settle, type UpFlags, upHelp, writeSettings } from './settings.ts'
import { claimRecord, isRunning, readRecord, removeRecord, startTimeOf } from './supervisor/records.ts'
import { CannotStart, Supervisor } from './supervisor/supervisor.ts'

/**
 * `gantry up`: the whole of Gantry with one command. Stays and supervises until it is told to stop; with --detach leaves
 * a process that does. Kept small: what needs the API or certificates runs in short-lived processes of its own.
 */
export async function up(args: readonly string[]): Promise<number> {
  const startedAtMs = Number(process.env.GANTRY_STARTED_AT) || Date.now()
  let flags: UpFlags
  try {
    flags = parseUpFlags(args)
  } catch (error) {
    process.stderr.write(`gantry up: ${(error as Error).message}\n`)
    return 2
  }
  if (flags.help) {
    process.stdout.write(upHelp)
    return 0
  }
  const layout = layoutOf(flags.dataDir)
  const other = readRecord(layout.run, supervisorName)
  if (other && isRunning(other)) return alreadyUp(layout, flags, other.pid, startedAtMs)
  if (flags.supervise) return supervise(layout, flags, startedAtMs, backgroundReporter())
  if (flags.detach) return detach(layout, flags, args, startedAtMs)
  return supervise(layout, flags, startedAtMs, foregroundReporter(layout, flags, startedAtMs))
}

async function alreadyUp(layout: Layout, flags: UpFlags, pid: number, startedAtMs: number): Promise<number> {
  process.stdout.write(`This cluster is up already (process ${pid}, in ${layout.dataDir}).\n`)
  if (flags.quickstart) return ended(greet(layout, flags, startedAtMs))
  process.stdout.write(
    `\n  export KUBECONFIG=${layout.kubeconfig}\n\ngantry status shows what runs, gantry down ends it.\n`,
  )
  return flags.detach ? 0 : 1
}

/** What the supervising process has to tell. */
interface Reporter {
  say(line: string): void
  /** A component is ready. */
  ready(name: string): void
  failed(message: string): void
  /** All components are ready. */
  up(): Promise<void>
}

async function supervise(layout: Layout, flags: UpFlags, startedAtMs: number, report: Reporter): Promise<number> {
  const claim = {
    name: supervisorName,
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? '',
    startedAtMs,
    fingerprint: '',
    restarts: 0,
  }
  const other = claimRecord(layout.run, claim)
  if (other) {
    report.failed(`this cluster is up already (process ${other.pid})`)
    return 1
  }
  const stop = stopAsked()
  let supervisor: Supervisor | undefined
  try {
    const plan = await prepare(layout, flags, report)
    supervisor = new Supervisor({
      specs: componentsOf(plan),
      runDir: layout.run,
      logDir: layout.logs,
      say: report.say,
      onReady: (name) => report.ready(name),
    })
    const started = supervisor.start().then(() => report.up())
    await Promise.race([started, stop])
    await stop
    report.say('Stopping. Everything is kept; start again to go on.')
    await supervisor.stop()
    return 0
  } catch (error) {
    await supervisor?.stop()
    report.failed(explain(error as Error, layout))
    return 1
  } finally {
    removeRecord(layout.run, supervisorName)
  }
}

/** Everything that has to be there before the first component is started. */
async function prepare(layout: Layout, flags: UpFlags, report: Reporter): Promise<ClusterPlan> {
  const machine = thisMachine()
  const kept = readSettings(layout.settings)
  const choice = chooseRuntime(machine)
  const settings = await settle(flags, kept, { runtime: choice.runtime, freePort })
  if (!kept && flags.runtime === undefined && choice.why) {
    report.say(`Containers run as plain processes of this machine, without isolation (${choice.why}).`)
  }
  writeSettings(layout.settings, settings)
  const prepared = hasNamespaces(settings)
    ? (JSON.parse(await answerOf('nodes', ['--data-dir', layout.dataDir])) as PreparedNodes)
    : { nodes: nodeNames(settings.nodes).map((name) => ({ name, enter: [] })) }
  const plan: ClusterPlan = {
    layout,
    settings,
    ...prepared,
    cniBinDir: machine.cniBinDir ?? '/opt/cni/bin',
    etcdProgram: settings.store === 'etcd' ? (findProgram('etcd') ?? 'etcd') : '',
  }
  const want = credentialsFor(plan)
  if (!credentialsAreCurrent(layout, want, Date.now())) {
    await answerOf('credentials', ['--data-dir', layout.dataDir, '--want', JSON.stringify(want)])
  }
  return plan
}

/** Runs a short-lived part of Gantry; resolves to what it prints. Throws an Error with what it complains of. */
async function answerOf(name: string, args: readonly string[]): Promise<string> {
  const child = run(name, args, ['ignore', 'pipe', 'pipe'])
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text
    })
  }
  if ((await ended(child)) !== 0) throw new Error(said.stderr.trim().replace(/^gantry: /, ''))
  return said.stdout
}

/** Leaves a supervisor in the background; returns when the cluster is ready, or has failed to become so. */
async function detach(layout: Layout, flags: UpFlags, args: readonly string[], startedAtMs: number): Promise<number> {
  mkdirSync(layout.logs, { recursive: true })
  const log = openSync(join(layout.logs, `${supervisorName}.log`), 'a')
  const [program, ...rest] = gantryCommand('up', [...args, '--supervise'])
  const child = spawn(program, rest, {
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
    env: { ...process.env, GANTRY_REPORT_FD: '3', GANTRY_STARTED_AT: String(startedAtMs) },
  })
  closeSync(log)
  let greeting: Promise<number> | undefined
  const { createInterface } = await import('node:readline')
  const outcome = new Promise<string | undefined>((resolve) => {
    child.once('exit', (code, signal) => resolve(`it ended (${signal ?? `exit ${code}`}); see ${layout.logs}`))
    createInterface({ input: child.stdio[3] as NodeJS.ReadableStream }).on('line', (line) => {
      const word = JSON.parse(line) as Report
      if ('say' in word) process.stdout.write(`${word.say}\n`)
      if ('ready' in word && word.ready === 'apiserver') greeting ??= ended(greet(layout, flags, startedAtMs))
      if ('failed' in word) resolve(word.failed)
      if ('up' in word) resolve(undefined)
    })
  })
  const failure = await outcome
  if (failure !== undefined) {
    process.stderr.write(`gantry up: ${failure}\n`)
    return 1
  }
  const code = (await greeting) ?? 0
  child.unref()
  // The pipe of its reports, too, would keep this process.
  ;(child.stdio[3] as unknown as { destroy(): void }).destroy()
  return code
}

type Report = { say: string } | { ready: string } | { failed: string } | { up: true }

/** Tells the process that left this one in the background, as long as it listens, and the log. */
function backgroundReporter(): Reporter {
  const descriptor = Number(process.env.GANTRY_REPORT_FD)
  delete process.env.GANTRY_REPORT_FD
  let listens = Number.isInteger(descriptor) && descriptor > 2
  const tell = (word: Report) => {
    if (!listens) return
    try {
      writeSync(descriptor, `${JSON.stringify(word)}\n`)
    } catch {
      listens = false
    }
  }
  const note = (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`)
  return {
    say(line) {
      note(line)
      tell({ say: line })
    },
    ready(name) {
      note(`${name} is ready`)
      tell({ ready: name })
    },
    failed(message) {
      note(message)
      tell({ failed: message })
    },
    async up() {
      tell({ up: true })
      if (listens) closeSync(descriptor)
      listens = false
    },
  }
}

/** Tells the terminal. While the greeting draws there, lines wait for it. */
function foregroundReporter(layout: Layout, flags: UpFlags, startedAtMs: number): Reporter {
  let greeting: Promise<number> | undefined
  let held: string[] | undefined
  const write = (line: string) => process.stdout.write(`${line}\n`)
  return {
    say: (line) => (held ? void held.push(line) : void write(line)),
    ready(name) {
      if (name !== 'apiserver' || greeting) return
      held = []
      greeting = ended(greet(layout, flags, startedAtMs)).finally(() => {
        for (const line of held ?? []) write(line)
        held = undefined
      })
    },
    failed: (message) => void process.stderr.write(`gantry up: ${message}\n`),
    async up() {
      await greeting
    },
  }
}

/** Waits for the nodes, runs the quickstart if asked to, and says what to try: a short-lived process of its own. */
function greet(layout: Layout, flags: UpFlags, startedAtMs: number): ChildProcess {
  const more = flags.quickstart ? ['--quickstart'] : []
  const where = flags.detach ? ['--detached'] : []
  return run('greet', ['--data-dir', layout.dataDir, '--started-at', String(startedAtMs), ...more, ...where], 'inherit')
}

function run(name: string, args: readonly string[], stdio: 'inherit' | ('ignore' | 'pipe')[]): ChildProcess {
  const [program, ...rest] = gantryCommand(name, args)
  return spawn(program, rest, { stdio })
}

const ended = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })

/** Resolves at the first request to stop. A second one ends the supervisor at once; what it started goes on. */
function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.once(name, () => {
        process.once(name, () => process.exit(1))
        resolve()
      })
    }
  })
}

const shownLogLines = 12

function explain(error: Error, layout: Layout): string {
  if (!(error instanceof CannotStart)) return error.message
  const path = join(layout.logs, `${error.child}.log`)
  const lines = lastLines(path)
  if (lines.some((line) => line.includes('EADDRINUSE')) && error.child === 'apiserver') {
    const port = readSettings(layout.settings)?.port
    return `port ${port} is taken. Choose another with --port, or --port 0 for any free one.`
  }
  if (error.how.includes('ENOENT') && error.child === 'etcd') {
    return 'etcd is not installed. Install it (on Debian and Ubuntu: apt-get install etcd-server), or leave out --store etcd.'
  }
  return [`${error.message}. The end of ${path}:`, ...lines.map((line) => `  ${line}`)].join('\n')
}

function lastLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-shownLogLines)
  } catch {
    return []
  }
}
