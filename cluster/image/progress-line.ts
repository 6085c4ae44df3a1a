/** One line on the screen that says how far something has come; where nobody watches, only its end is written. */
export class ProgressLine {
  readonly #text: string
  readonly #out = process.stderr
  #shown = -1

  constructor(text: string) {
    this.#text = text
    this.share(0)
  }

  /** From 0 to 1. */
  share(done: number): void {
    const percent = Math.min(100, Math.round(done * 100))
    if (!this.#out.isTTY || percent === this.#shown) return
    this.#shown = percent
    const filled = Math.round(percent / 5)
    this.#out.write(`\r\x1b[K${this.#text} [${'#'.repeat(filled)}${'.'.repeat(20 - filled)}] ${percent}%`)
  }

  end(text: string): void {
    this.#out.write(`${this.#out.isTTY ? '\r\x1b[K' : ''}${text}\n`)
  }
}

/** A number of bytes as people read it. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}
