/** So many lines are kept; older ones go. */
const mostLines = 50_000

/** Text that comes in pieces, as lines. */
export class LineBuffer {
  readonly lines: string[] = []
  /** The last line has no end yet. */
  #open = false

  add(text: string): void {
    if (text === '') return
    const parts = text.replace(colours, '').split('\n')
    const ended = parts.at(-1) === ''
    if (ended) parts.pop()
    if (this.#open) parts[0] = `${this.lines.pop() ?? ''}${parts[0]}`
    for (const part of parts) this.lines.push(part.endsWith('\r') ? part.slice(0, -1) : part)
    // In one go, now and then: the first lines of an array are dear to remove.
    if (this.lines.length > mostLines * 1.1) this.lines.splice(0, this.lines.length - mostLines)
    this.#open = !ended
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal begin with one
const colours = /\u001b\[[\d;]*m/g
