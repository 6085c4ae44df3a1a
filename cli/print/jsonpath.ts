import { broken, closingSign, type Find, parsePath, unquote } from '../../api/machinery/json-path.ts'
import { sorted } from './documents.ts'

/** A piece of a template. */
type Part = { type: 'text'; text: string } | { type: 'path'; find: Find } | { type: 'range'; find: Find; body: Part[] }

export interface Template {
  /** What the template makes of an object. Throws a PathFault where a field is missing and must not be. */
  print(object: unknown): string
}

/** kubectl's JSONPath templates: `{.metadata.name}`, `{range .items[*]}{.metadata.name}{"\n"}{end}`. */
export function parseTemplate(text: string, { allowMissing = true } = {}): Template {
  const { parts } = new TemplateParser(relaxed(text), allowMissing).parse()
  return { print: (object) => printParts(parts, object, object) }
}

/** `metadata.name` and `.metadata.name` are taken for `{.metadata.name}`. */
function relaxed(text: string): string {
  if (text.includes('{')) return text
  return `{${text.startsWith('.') || text.startsWith('[') || text.startsWith('$') ? text : `.${text}`}}`
}

function printParts(parts: readonly Part[], current: unknown, root: unknown): string {
  return parts
    .map((part) => {
      if (part.type === 'text') return part.text
      const values = part.find(current, root)
      if (part.type === 'path') return values.map(printValue).join(' ')
      return values.map((value) => printParts(part.body, value, root)).join('')
    })
    .join('')
}

export const printValue = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(sorted(value)) : String(value)

class TemplateParser {
  readonly #text: string
  readonly #allowMissing: boolean
  #at = 0

  constructor(text: string, allowMissing: boolean) {
    this.#text = text
    this.#allowMissing = allowMissing
  }

  parse(inRange = false): { parts: Part[] } {
    const parts: Part[] = []
    while (this.#at < this.#text.length) {
      const open = this.#text.indexOf('{', this.#at)
      if (open !== this.#at) {
        parts.push({ type: 'text', text: this.#text.slice(this.#at, open < 0 ? undefined : open) })
        this.#at = open < 0 ? this.#text.length : open
        continue
      }
      const body = this.#braces()
      if (body === 'end') {
        if (!inRange) throw broken('not in range, nothing to end')
        return { parts }
      }
      const range = /^range(?![\w-])\s*(.*)$/s.exec(body)
      if (range) parts.push({ type: 'range', find: this.#path(range[1] as string), body: this.parse(true).parts })
      else if (/^["']/.test(body)) parts.push({ type: 'text', text: unquote(body) })
      else parts.push({ type: 'path', find: this.#path(body) })
    }
    if (inRange) throw broken('unclosed range: end it with {end}')
    return { parts }
  }

  #path(text: string): Find {
    return parsePath(text.trim(), { allowMissing: this.#allowMissing })
  }

  /** What stands between the brace here and the one that closes it. */
  #braces(): string {
    const end = closingSign(this.#text, this.#at, '{', '}')
    if (end < 0) throw broken('unclosed action: a { without its }')
    const body = this.#text.slice(this.#at + 1, end).trim()
    this.#at = end + 1
    return body
  }
}
