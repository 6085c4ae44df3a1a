import pc from 'picocolors'

/** Steps shown while they happen: on a terminal a line that moves, elsewhere a plain line when a step is done. */
export class Progress {
  readonly #out: NodeJS.WriteStream
  readonly #live: boolean
  #text = ''
  #startedMs = 0
  #timer: NodeJS.Timeout | undefined
  #frame = 0

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out
    this.#live = out.isTTY === true
  }

  /** Shows that `text` is being done. Replaces what was being done. */
  doing(text: string): void {
    if (this.#text === '') this.#startedMs = performance.now()
    this.#text = text
    if (!this.#live) return
    this.#draw()
    this.#timer ??= setInterval(() => this.#draw(), 80)
  }

  /** The step is done: `text` stays, with how long it took unless told `ms`. */
  done(text: string, ms = performance.now() - this.#startedMs): void {
    this.#clear()
    this.#out.write(`${this.#live ? pc.green('✓') : '-'} ${text} ${this.#dim(`(${seconds(ms)})`)}\n`)
  }

  /** Something that is to be known while the step goes on. */
  note(text: string): void {
    this.#out.write(`${this.#live ? `\r\u001b[K${pc.yellow('!')}` : '!'} ${text}\n`)
  }

  /** The step has failed; what to do is said elsewhere. */
  failed(text: string): void {
    this.#clear()
    this.#out.write(`${this.#live ? pc.red('✗') : '!'} ${text}\n`)
  }

  #clear(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#text = ''
    if (this.#live) this.#out.write('\r\u001b[K')
  }

  #draw(): void {
    const frame = frames[this.#frame++ % frames.length] ?? ''
    const text = this.#text.slice(0, Math.max(20, (this.#out.columns || 80) - 12))
    const waited = seconds(performance.now() - this.#startedMs)
    this.#out.write(`\r\u001b[K${pc.cyan(frame)} ${text} ${this.#dim(waited)}`)
  }

  #dim(text: string): string {
    return this.#live ? pc.dim(text) : text
  }
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
