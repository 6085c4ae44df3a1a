import {
  type CollectionTag,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type ScalarTag,
} from 'yaml'

/** Deeper than this nothing is read: nesting costs the reader more than the writer. */
export const maxDepth = 1000

/** Parses JSON. Throws a SyntaxError, also for what is nested too deeply. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  if (text.length > maxDepth * 2 && nestedTooDeeply(text)) throw new SyntaxError(`exceeded max depth of ${maxDepth}`)
  return value
}

function nestedTooDeeply(text: string): boolean {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22:
        i = endOfString(text, i)
        break
      case 0x7b:
      case 0x5b:
        if (++depth > maxDepth) return true
        break
      case 0x7d:
      case 0x5d:
        depth--
    }
  }
  return false
}

/** Index of the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === 0x5c) escapes++
    if (escapes % 2 === 0) return end
  }
  return text.length
}

/** Whether an object of valid JSON names a key twice. `value` is what the text was parsed to. */
export const hasDuplicates = (text: string, value: unknown): boolean => namesIn(text) !== namesOf(value)

/** How many names of fields a text has: the strings that a colon follows. */
function namesIn(text: string): number {
  let count = 0
  let at = text.indexOf('"')
  while (at >= 0) {
    at = endOfString(text, at) + 1
    while (isSpace(text.charCodeAt(at))) at++
    if (text.charCodeAt(at) === 0x3a) count++
    at = text.indexOf('"', at)
  }
  return count
}

function namesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) for (const item of value) count += namesOf(item)
  else for (const name in value) count += 1 + namesOf((value as Record<string, unknown>)[name])
  return count
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

/**
 * `duplicate field "spec.replicas"` for each key that valid JSON names twice in one object, in the order of the text,
 * and among them what else was found: `others` by path. Those whose path the text does not show come last.
 */
export function duplicateFields(text: string, others: ReadonlyMap<string, string> = new Map()): string[] {
  const found: string[] = []
  const scan = new FieldScanner(text, found, new Map(others))
  scan.value('')
  return [...found, ...scan.others.values()]
}

/** Walks JSON that is known to be valid, looking at keys only. */
class FieldScanner {
  readonly others: Map<string, string>
  readonly #text: string
  readonly #found: string[]
  #at = 0

  constructor(text: string, found: string[], others: Map<string, string>) {
    this.#text = text
    this.#found = found
    this.others = others
  }

  value(path: string): void {
    this.#space()
    const char = this.#text[this.#at]
    if (char === '{') this.#object(path)
    else if (char === '[') this.#array(path)
    else if (char === '"') this.#at = endOfString(this.#text, this.#at) + 1
    else while (this.#at < this.#text.length && !/[\s,\]}]/.test(this.#text[this.#at] as string)) this.#at++
  }

  #object(path: string): void {
    const seen = new Set<string>()
    this.#at++
    for (;;) {
      this.#space()
      const char = this.#text[this.#at]
      if (char === '}' || char === undefined) {
        this.#at++
        return
      }
      if (char === ',') {
        this.#at++
        continue
      }
      const end = endOfString(this.#text, this.#at)
      const key = JSON.parse(this.#text.slice(this.#at, end + 1)) as string
      const full = path === '' ? key : `${path}.${key}`
      if (seen.has(key)) this.#found.push(`duplicate field ${JSON.stringify(full)}`)
      seen.add(key)
      const other = this.others.get(full)
      if (other !== undefined && this.others.delete(full)) this.#found.push(other)
      this.#at = end + 1
      this.#space()
      this.#at++
      this.value(full)
    }
  }

  #array(path: string): void {
    this.#at++
    for (let i = 0; ; ) {
      this.#space()
      const char = this.#text[this.#at]
      if (char === ']' || char === undefined) {
        this.#at++
        return
      }
      if (char === ',') {
        this.#at++
        continue
      }
      this.value(`${path}[${i++}]`)
    }
  }

  #space(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++
  }
}

/** YAML 1.1 has types that JSON has not; upstream leaves those as the strings they are. */
const notInJson = /:(timestamp|binary|set|omap|pairs)$/

/**
 * Parses one YAML document, as upstream does: version 1.1, of which only what JSON can hold. Keys that are named twice
 * are told by line: `line 4: key "replicas" already set in map`. Throws an Error.
 */
export function parseYaml(text: string): { value: unknown; duplicates: string[] } {
  const lineCounter = new LineCounter()
  const documents = parseAllDocuments(text, {
    version: '1.1',
    schema: 'yaml-1.1',
    uniqueKeys: false,
    merge: true,
    lineCounter,
    customTags: (tags) =>
      tags
        .filter(
          (tag) => typeof tag !== 'string' && !notInJson.test(tag.tag) && !('format' in tag && tag.format === 'TIME'),
        )
        .map((tag) => (typeof tag === 'string' ? tag : withDigits(tag))),
  })
  const [document] = documents
  if (!document || !('contents' in document)) return { value: null, duplicates: [] }
  const [error] = document.errors
  if (error) throw new Error(error.message.split('\n', 1)[0])
  const duplicates: string[] = []
  findDuplicates(document.contents as Node | null, lineCounter, duplicates, 0)
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  return { value, duplicates }
}

type Tag = CollectionTag | ScalarTag

/** A number has a digit: `.` and `e2` are texts, which the parser would take for something that is no number at all. */
function withDigits(tag: Tag): Tag {
  if (tag.collection || !tag.test || !/:(?:int|float)$/.test(tag.tag)) return tag
  if (tag.format === 'OCT') return { ...tag, test: /^[-+]?0o?[0-7_]+$/, resolve: octal }
  const test = numbers.find(([example]) => tag.test?.test(example))?.[1]
  return test ? { ...tag, test } : tag
}

/** What a number may look like, by an example of its form. */
const numbers: readonly (readonly [example: string, form: RegExp])[] = [
  ['1e1', /^[-+]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d+)[eE][-+]?\d+$/],
  ['1.', /^[-+]?(?:\d[\d_]*\.[\d_]*|\.\d+)$/],
  ['0b1', /^[-+]?0b_*[01][01_]*$/],
  ['0x1', /^[-+]?0x_*[\da-fA-F][\da-fA-F_]*$/],
]

const octal = (text: string): number => {
  const value = Number.parseInt(text.replace(/[-+o_]/g, ''), 8)
  return text.startsWith('-') ? -value : value
}

function findDuplicates(node: unknown, lines: LineCounter, found: string[], depth: number): void {
  if (depth > maxDepth) throw new Error(`exceeded max depth of ${maxDepth}`)
  if (isMap(node)) {
    const seen = new Set<string>()
    for (const pair of node.items) {
      if (!isPair(pair)) continue
      const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
      if (seen.has(key)) {
        const start = (pair.key as Node).range?.[0] ?? 0
        found.push(`line ${lines.linePos(start).line}: key ${JSON.stringify(key)} already set in map`)
      }
      seen.add(key)
      findDuplicates(pair.value, lines, found, depth + 1)
    }
  } else if (isSeq(node)) {
    for (const item of node.items) findDuplicates(item, lines, found, depth + 1)
  }
}
