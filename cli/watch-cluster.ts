import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import type { Pod } from '../api/generated/types.ts'
import { pathOf } from '../client/client.ts'
import { pods } from '../client/resources.ts'
import type { Live } from '../client/types.ts'
import { describeObject } from './describe/describe-object.ts'
import { CliError, explain } from './errors.ts'
import type { Terminal } from './io.ts'
import { kindName, resourceName } from './kinds.ts'
import { podsNamed } from './pods-of.ts'
import { draw, roomFor } from './screen/draw.ts'
import { LiveWorld } from './screen/live.ts'
import { type Action, begin, listOf, onKey, type Page, type State } from './screen/state.ts'
import { Session } from './session.ts'
import type { Verb } from './verb.ts'
import type { Subject } from './workloads.ts'

/** As often as eyes need it. */
const redrawMs = 100
const tickMs = 1000
const logLines = 5000

export const watchCluster: Verb<object> = {
  usage: '',
  examples: ['gantry watch', 'gantry watch --context production'],
  define: (_command: Command) => {},
  async run(session, args) {
    if (args.length > 0)
      throw new CliError(
        'gantry watch shows the whole cluster: / filters what it shows. To follow objects: gantry get TYPE -w',
      )
    const { terminal } = session.io
    if (!terminal?.size()) throw new CliError('gantry watch needs a terminal: `gantry status` shows the same once')
    await session.kinds()
    const screen = new Screen(session, terminal)
    await screen.run()
    return 0
  },
}

/** The terminal while it is ours: what is on it, and who listens to its keys. */
class Screen {
  readonly #session: Session
  readonly #terminal: Terminal
  readonly #live: LiveWorld
  readonly #ended = new AbortController()
  #state: State = begin
  #drawing: NodeJS.Timeout | undefined
  #isElsewhere = false
  #closePage: (() => void) | undefined
  #failure: unknown

  constructor(session: Session, terminal: Terminal) {
    this.#session = session
    this.#terminal = terminal
    this.#live = new LiveWorld(session, () => this.#redrawSoon())
  }

  async run(): Promise<void> {
    const { io } = this.#session
    const end = () => this.#ended.abort()
    io.signal.addEventListener('abort', end, { once: true })
    const following = this.#live.follow(this.#ended.signal).catch((error: unknown) => {
      this.#failure = error
      end()
    })
    const stopSizes = this.#terminal.onResize(() => this.#redrawSoon())
    const ticking = setInterval(() => this.#redrawSoon(), tickMs)
    const onInput = (chunk: Buffer | string) => this.#keys(chunk.toString())
    this.#enter()
    io.stdin.on('data', onInput)
    this.#redrawSoon()
    try {
      await new Promise<void>((resolve) => {
        if (this.#ended.signal.aborted) resolve()
        this.#ended.signal.addEventListener('abort', () => resolve(), { once: true })
      })
    } finally {
      clearInterval(ticking)
      clearTimeout(this.#drawing)
      this.#closePage?.()
      stopSizes()
      io.stdin.off('data', onInput)
      io.stdin.pause()
      this.#leave()
    }
    // Its requests end with the session, which ends with the verb.
    this.#session.close()
    await following
    if (this.#failure) throw this.#failure
  }

  #enter(): void {
    this.#terminal.setRaw(true)
    this.#session.io.out('\u001b[?1049h\u001b[?25l')
  }

  #leave(): void {
    this.#session.io.out('\u001b[?25h\u001b[?1049l')
    this.#terminal.setRaw(false)
  }

  #size() {
    return this.#terminal.size() ?? { columns: 80, rows: 24 }
  }

  #redrawSoon(): void {
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined
      this.#redraw()
    }, redrawMs)
  }

  #redraw(): void {
    if (this.#isElsewhere || this.#ended.signal.aborted) return
    const { clock, io, server } = this.#session
    const lines = draw(this.#state, this.#live.world, this.#size(), clock.now(), server)
    // Each line is overwritten in its place, and what is left of the one before goes: nothing flickers.
    io.out(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`)
  }

  /** Several keys may come at once; an arrow is three letters. */
  #keys(text: string): void {
    if (this.#isElsewhere) return
    // biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters
    for (const [key] of text.matchAll(/\u001b\[[0-9;]*[A-Za-z~]|[\s\S]/g)) {
      const world = this.#live.world
      const rows = world ? listOf(this.#state, world, this.#session.clock.now()).rows : []
      const { state, action } = onKey(this.#state, key, { rows, height: roomFor(this.#size()) })
      this.#state = state
      if (action) this.#act(action)
    }
    this.#redraw()
  }

  #act(action: Action): void {
    if (action.do === 'quit') this.#ended.abort()
    else if (action.do === 'close') this.#closePage?.()
    else if (action.do === 'exec') this.#elsewhere(action.subject).catch((error: unknown) => this.#showError(error))
    else if (action.do === 'describe') this.#describe(action.subject).catch((error: unknown) => this.#showError(error))
    else this.#logs(action.subject).catch((error: unknown) => this.#showError(error))
  }

  #show(page: Page): void {
    this.#state = { ...this.#state, page }
    this.#redrawSoon()
  }

  #showError(error: unknown): void {
    if (this.#ended.signal.aborted) return
    this.#show({ title: 'that did not work', lines: explain(error).text.split('\n'), from: 0 })
  }

  async #describe(subject: Subject): Promise<void> {
    const title = `${kindName(subject.kind)}/${subject.object.metadata.name}`
    const text = await describeObject(this.#session, subject, { showEvents: true })
    this.#show({ title, lines: text.split('\n'), from: 0 })
  }

  /** Of the pod, or of one of the workload's; it goes on until the page is closed. */
  async #logs(subject: Subject): Promise<void> {
    const { metadata, spec } = await this.#podOf(subject)
    const container = spec?.containers[0]?.name ?? ''
    const title = `log of pod/${metadata.name}, container ${container}`
    const lines: string[] = []
    const closed = new AbortController()
    this.#closePage = () => closed.abort()
    this.#show({ title, lines, from: undefined })
    const answer = await this.#session.raw('GET', pathOf(pods, metadata.namespace, metadata.name, 'log'), {
      query: { container, follow: 'true', tailLines: '500' },
      stream: true,
      headers: { accept: '*/*' },
      signal: AbortSignal.any([closed.signal, this.#ended.signal]),
    })
    try {
      for await (const line of createInterface({ input: answer })) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they would move the cursor
        lines.push(line.replace(/[\u0000-\u001f]/g, ' '))
        if (lines.length > logLines) lines.shift()
        this.#redrawSoon()
      }
    } catch (error) {
      if (!closed.signal.aborted) throw error
    }
  }

  /** Looked up in the object's namespace rather than in ours. */
  async #podOf({ kind, object }: Subject): Promise<Live<Pod>> {
    const { io, flags, clock } = this.#session
    const { namespace, name } = object.metadata
    const session = new Session(io, { ...flags, ...(namespace ? { namespace } : {}) }, clock)
    try {
      const [pod] = await podsNamed(session, [`${resourceName(kind)}/${name}`])
      if (!pod) throw new CliError(`${kindName(kind)}/${name} has no pods`)
      return pod
    } finally {
      session.close()
    }
  }

  /** A shell in a container has the terminal to itself, in a process of its own. */
  async #elsewhere({ kind, object }: Subject): Promise<void> {
    const { io, flags } = this.#session
    const [program = '', script = ''] = process.argv
    const { namespace, name } = object.metadata
    const given = Object.entries({ kubeconfig: flags.kubeconfig, context: flags.context, namespace }).flatMap(
      ([flag, value]) => (value ? [`--${flag}=${value}`] : []),
    )
    const shell = ['--', 'sh', '-c', 'command -v bash >/dev/null && exec bash || exec sh']
    this.#isElsewhere = true
    io.stdin.pause()
    this.#leave()
    const child = spawn(program, [script, 'exec', '-it', `${kind.plural}/${name}`, ...given, ...shell], {
      stdio: 'inherit',
    })
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', resolve)
    }).finally(() => {
      this.#isElsewhere = false
      this.#enter()
      io.stdin.resume()
    })
    if (code === 0 || code === 130) this.#redrawSoon()
    else this.#show({ title: 'exec', lines: [`the command ended with ${code}`], from: 0 })
  }
}
