import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type ChildAction, type ChildEvent, type ChildState, step } from './child.ts'
import { endProcess } from './end.ts'
import { isRunning, type ProcessRecord, readRecord, removeRecord, startTimeOf, writeRecord } from './records.ts'

/** A process that is to run. */
export interface ChildSpec {
  name: string
  /** The program and its arguments. */
  command: readonly [string, ...string[]]
  env?: Readonly<Record<string, string>>
  /** Names of those that must be ready before this one is started. */
  after: readonly string[]
  /** It waits for those itself, so that it can be started at once. It still ends before them. */
  waits?: boolean
  /** It announces that it is ready (see client/ready.ts), or answers this plain http address with 200. */
  ready: 'announce' | { url: string }
  /** How long it may take to end before it is ended by force. */
  stopMs: number
  /** Changes when the program itself does: a process of another version is replaced, not adopted. */
  version: string
}

export interface SupervisorOptions {
  specs: readonly ChildSpec[]
  /** Where the records of running processes lie. */
  runDir: string
  logDir: string
  /** One line for the operator. */
  say: (line: string) => void
  /** Each time a child is ready. */
  onReady?: (name: string) => void
}

/** A child did not come up, however often it was tried. */
export class CannotStart extends Error {
  readonly child: string
  readonly how: string
  constructor(child: string, how: string) {
    super(`${child} does not come up (${how})`)
    this.child = child
    this.how = how
  }
}

const adoptedLookMs = 250
const readyAskMs = 25
const lateMs = 10_000
const largestLogBytes = 16 << 20

/**
 * Keeps processes running: starts them in order, brings those back that end, adopts those that still run since an
 * earlier supervisor. They write to files and lead their own sessions: when the supervisor is killed, they go on.
 */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #children: Map<string, Child>
  #stopping = false
  /** Until all that still run have been found, nothing is started: it might be running. */
  #adopted = false
  #failed: (error: Error) => void = () => {}

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#children = new Map(
      options.specs.map((spec) => [
        spec.name,
        new Child(spec, options, {
          ready: () => this.#ready(spec.name),
          gaveUp: (how) => this.#failed(new CannotStart(spec.name, how)),
        }),
      ]),
    )
  }

  /** Starts or adopts all. Resolves when each has been ready once; rejects with {@link CannotStart}. */
  async start(): Promise<void> {
    await Promise.all([...this.#children.values()].map((child) => child.replaceStranger()))
    await new Promise<void>((resolve, reject) => {
      this.#failed = reject
      this.#allReady = resolve
      for (const child of this.#children.values()) child.adopt()
      this.#adopted = true
      this.#startWhatCan()
      this.#checkAllReady()
    })
  }

  /** Ends all, those first that others do not need, and resolves when they are gone. */
  async stop(): Promise<void> {
    this.#stopping = true
    const left = new Set(this.#children.values())
    while (left.size > 0) {
      const needed = new Set([...left].flatMap(({ spec }) => spec.after))
      const wave = [...left].filter(({ spec }) => !needed.has(spec.name))
      await Promise.all(wave.map((child) => child.stop()))
      for (const child of wave) left.delete(child)
    }
  }

  #allReady: () => void = () => {}

  #ready(name: string): void {
    this.#options.onReady?.(name)
    if (this.#stopping || !this.#adopted) return
    this.#startWhatCan()
    this.#checkAllReady()
  }

  #startWhatCan(): void {
    for (const child of this.#children.values()) {
      const { after, waits } = child.spec
      if (waits || after.every((name) => this.#children.get(name)?.everReady !== false)) child.start()
    }
  }

  #checkAllReady(): void {
    if ([...this.#children.values()].every(({ everReady }) => everReady)) this.#allReady()
  }
}

interface Listener {
  ready(): void
  gaveUp(how: string): void
}

class Child {
  readonly spec: ChildSpec
  everReady = false
  readonly #options: SupervisorOptions
  readonly #listener: Listener
  readonly #fingerprint: string
  #state: ChildState = { phase: 'stopped' }
  #record: ProcessRecord | undefined
  #restarts = 0
  #timer: NodeJS.Timeout | undefined
  #stopped: (() => void)[] = []

  constructor(spec: ChildSpec, options: SupervisorOptions, listener: Listener) {
    this.spec = spec
    this.#options = options
    this.#listener = listener
    this.#fingerprint = fingerprintOf(spec)
  }

  /** Ends a process that runs since before but is not what is wanted now. */
  async replaceStranger(): Promise<void> {
    const record = readRecord(this.#options.runDir, this.spec.name)
    if (!record || !isRunning(record) || record.fingerprint === this.#fingerprint) return
    this.#options.say(`${this.spec.name} still runs as it was started before; it is replaced`)
    await endProcess(record, { graceMs: this.spec.stopMs })
  }

  adopt(): void {
    const record = readRecord(this.#options.runDir, this.spec.name)
    if (!record || !isRunning(record)) return
    this.#options.say(`${this.spec.name} still runs; it goes on`)
    this.#record = record
    this.#restarts = record.restarts
    this.#happened({ type: 'adopted' })
    // It is nobody's child any more: the system tells no one when it ends.
    const look = setInterval(() => {
      if (isRunning(record)) return
      clearInterval(look)
      this.#happened({ type: 'exited', how: 'it is gone' })
    }, adoptedLookMs)
  }

  start(): void {
    this.#happened({ type: 'start' })
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#stopped.push(resolve)
      this.#happened({ type: 'stop' })
    })
  }

  #happened(event: ChildEvent): void {
    const { state, actions } = step(this.spec.name, this.#state, event, performance.now())
    this.#state = state
    for (const action of actions) this.#do(action)
  }

  #do(action: ChildAction): void {
    switch (action.type) {
      case 'spawn':
        this.#spawn()
        break
      case 'wait':
        this.#timer = setTimeout(() => {
          this.#restarts++
          this.#happened({ type: 'due' })
        }, action.ms)
        break
      case 'end':
        this.#end()
        break
      case 'say':
        this.#options.say(action.text)
        break
      case 'give-up':
        this.#listener.gaveUp(action.how)
        break
      case 'report-ready':
        this.everReady = true
        this.#listener.ready()
        break
      case 'report-stopped':
        clearTimeout(this.#timer)
        removeRecord(this.#options.runDir, this.spec.name)
        for (const resolve of this.#stopped.splice(0)) resolve()
    }
  }

  #spawn(): void {
    const { spec } = this
    const log = openLog(this.#options.logDir, spec.name)
    const [program, ...args] = spec.command
    const announces = spec.ready === 'announce'
    const child = spawn(program, args, {
      // Its own session: Ctrl-C in the terminal is the supervisor's to answer.
      detached: true,
      stdio: ['ignore', log, log, announces ? 'pipe' : 'ignore'],
      // The C library would keep a heap for each of Node's threads.
      env: { ...process.env, MALLOC_ARENA_MAX: '1', ...spec.env, ...(announces ? { GANTRY_READY_FD: '3' } : {}) },
    })
    closeSync(log)
    let over = false
    const ended = (how: string) => {
      if (over) return
      over = true
      clearTimeout(late)
      this.#record = undefined
      this.#happened({ type: 'exited', how })
    }
    child.once('error', (error) => ended(error.message))
    child.once('exit', (code, signal) => ended(signal ?? `exit ${code}`))
    const late = setTimeout(() => {
      if (this.#state.phase !== 'starting') return
      this.#options.say(`${spec.name} is not ready after ${lateMs / 1000} s; see ${spec.name}.log`)
    }, lateMs)
    late.unref()
    if (child.pid === undefined) return
    this.#record = {
      name: spec.name,
      pid: child.pid,
      startTime: startTimeOf(child.pid) ?? '',
      startedAtMs: Date.now(),
      fingerprint: this.#fingerprint,
      restarts: this.#restarts,
    }
    writeRecord(this.#options.runDir, this.#record)
    const ready = () => {
      if (!over) this.#happened({ type: 'ready' })
    }
    if (spec.ready === 'announce') onAnnouncement(child, ready)
    else void askUntilReady(spec.ready.url, () => over, ready)
  }

  #end(): void {
    const record = this.#record
    // A process that could not even be started tells of its end by itself.
    if (!record) return
    endProcess(record, { graceMs: this.spec.stopMs }).then(
      // An adopted one is noticed here sooner than by looking at times.
      () => this.#happened({ type: 'exited', how: 'stopped' }),
      (error: Error) => this.#options.say(`${this.spec.name} cannot be ended: ${error.message}`),
    )
  }
}

/** What a process was started as: with another it is another process. */
export function fingerprintOf({ command, env = {}, version }: ChildSpec): string {
  return createHash('sha256')
    .update(JSON.stringify([command, env, version]))
    .digest('hex')
}

/** The pipe is closed by the one that announces, or with its process. */
function onAnnouncement(child: ChildProcess, ready: () => void): void {
  const pipe = child.stdio[3] as NodeJS.ReadableStream
  pipe.once('data', ready)
  pipe.on('error', () => {})
}

async function askUntilReady(url: string, isOver: () => boolean, ready: () => void): Promise<void> {
  // Few are asked, and the supervisor is to stay small.
  const { get } = await import('node:http')
  const again = () => {
    if (!isOver()) setTimeout(ask, readyAskMs)
  }
  const ask = () => {
    const request = get(url, (response) => {
      response.resume()
      if (response.statusCode === 200) ready()
      else again()
    })
    request.once('error', again)
  }
  ask()
}

/** Opens a log to append to; one that has grown large becomes NAME.log.old first. */
function openLog(directory: string, name: string): number {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, `${name}.log`)
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > largestLogBytes) renameSync(path, `${path}.old`)
  return openSync(path, 'a')
}
