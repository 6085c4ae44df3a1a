import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Longer lines are written in parts, as upstream's runtimes do. */
const longestPart = 16 * 1024
const newline = 10

/** Writes a log in the format of the Container Runtime Interface: time, stream, `F` or `P` (the line goes on), text. */
export class CriLogWriter {
  readonly #path: string
  #file: number | undefined
  readonly #rest = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }

  /** An empty path: nothing is written. */
  constructor(path: string) {
    this.#path = path
    if (path !== '') mkdirSync(dirname(path), { recursive: true })
    this.reopen()
  }

  /** Whole lines are written at once; what follows the last of them waits for its end. */
  write(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (this.#file === undefined) return
    const text = this.#rest[stream].length > 0 ? Buffer.concat([this.#rest[stream], chunk]) : chunk
    const time = timestamp()
    const out: Buffer[] = []
    let at = 0
    for (;;) {
      const end = text.indexOf(newline, at)
      const lineEnd = end === -1 ? text.length : end
      while (lineEnd - at > longestPart) {
        out.push(line(time, stream, 'P', text.subarray(at, at + longestPart)))
        at += longestPart
      }
      if (end === -1) break
      out.push(line(time, stream, 'F', text.subarray(at, end)))
      at = end + 1
    }
    this.#rest[stream] = Buffer.from(text.subarray(at))
    if (out.length > 0) writeSync(this.#file, Buffer.concat(out))
  }

  /** Writes lines that never came to their end. */
  endLines(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#rest[stream].length > 0) this.write(stream, Buffer.from('\n'))
    }
  }

  /** Goes on in a new file, the old one having been renamed. */
  reopen(): void {
    if (this.#path === '') return
    const before = this.#file
    this.#file = openSync(this.#path, 'a', 0o640)
    if (before !== undefined) closeSync(before)
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}

const line = (time: string, stream: string, tag: 'F' | 'P', text: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${time} ${stream} ${tag} `), text, Buffer.of(newline)])

/** Of the nine places that readers expect, the clock knows three. */
const timestamp = (): string => `${new Date().toISOString().slice(0, -1)}000000Z`
