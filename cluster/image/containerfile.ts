/** One instruction of a Containerfile. */
export type Instruction = { line: number; text: string } & (
  | { kind: 'FROM'; image: string }
  | { kind: 'COPY'; sources: string[]; target: string; mode?: number }
  | { kind: 'RUN' | 'CMD' | 'ENTRYPOINT'; words: string[] }
  | { kind: 'ENV' | 'LABEL'; pairs: [string, string][] }
  | { kind: 'EXPOSE'; ports: string[] }
  | { kind: 'USER' | 'WORKDIR'; value: string }
)

const instructions = ['FROM', 'COPY', 'RUN', 'ENV', 'CMD', 'ENTRYPOINT', 'EXPOSE', 'USER', 'WORKDIR', 'LABEL'] as const

/**
 * Reads a Containerfile of the small kind that we build: one stage, of FROM, COPY, RUN, ENV, CMD, ENTRYPOINT, EXPOSE,
 * USER, WORKDIR and LABEL. Throws an Error with the line for anything else.
 */
export function parseContainerfile(text: string): Instruction[] {
  const parsed = logicalLines(text).map(({ line, text }) => {
    try {
      return parseInstruction(line, text)
    } catch (error) {
      throw new Error(`line ${line}: ${(error as Error).message}`)
    }
  })
  if (parsed[0]?.kind !== 'FROM') throw new Error('it must begin with FROM')
  const second = parsed.slice(1).find(({ kind }) => kind === 'FROM')
  if (second) throw new Error(`line ${second.line}: only one stage can be built, and this FROM begins another`)
  return parsed
}

function logicalLines(text: string): { line: number; text: string }[] {
  const lines: { line: number; text: string }[] = []
  let open: { line: number; text: string } | undefined
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(raw)) continue
    const goesOn = /\\\s*$/.test(raw)
    const part = raw.replace(/\\\s*$/, '')
    open = open ? { line: open.line, text: `${open.text} ${part.trim()}` } : { line: i + 1, text: part.trim() }
    if (goesOn) continue
    lines.push(open)
    open = undefined
  }
  if (open) lines.push(open)
  return lines
}

function parseInstruction(line: number, text: string): Instruction {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? []
  const kind = instructions.find((name) => name === word.toUpperCase())
  if (!kind) throw new Error(`${word.toUpperCase()} is not among what can be built: ${instructions.join(', ')}`)
  if (rest === '') throw new Error(`${kind} needs something after it`)
  const basis = { line, text }
  switch (kind) {
    case 'FROM': {
      const [image = ''] = rest.split(/\s+/)
      return { ...basis, kind, image }
    }
    case 'COPY':
      return { ...basis, kind, ...parseCopy(rest) }
    case 'RUN':
    case 'CMD':
    case 'ENTRYPOINT':
      return { ...basis, kind, words: jsonWords(rest) ?? ['/bin/sh', '-c', rest] }
    case 'ENV':
    case 'LABEL':
      return { ...basis, kind, pairs: parsePairs(rest) }
    case 'EXPOSE':
      return { ...basis, kind, ports: rest.split(/\s+/).map((port) => (port.includes('/') ? port : `${port}/tcp`)) }
    case 'USER':
    case 'WORKDIR':
      return { ...basis, kind, value: unquoted(rest) }
  }
}

function parseCopy(rest: string): { sources: string[]; target: string; mode?: number } {
  let mode: number | undefined
  let left = rest
  for (;;) {
    const [flag, name = '', value = ''] = /^--(\w+)=(\S+)\s+/.exec(left) ?? []
    if (flag === undefined) break
    if (name === 'chmod') mode = Number.parseInt(value, 8)
    else throw new Error(`COPY --${name} cannot be done`)
    left = left.slice(flag.length)
  }
  const words = jsonWords(left) ?? left.split(/\s+/)
  const target = words.at(-1)
  if (words.length < 2 || target === undefined) throw new Error('COPY needs a source and a target')
  return { sources: words.slice(0, -1), target, ...(mode === undefined ? {} : { mode }) }
}

/** The words of a JSON list, or undefined if it is none. */
function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined
  try {
    const words: unknown = JSON.parse(text)
    return Array.isArray(words) && words.every((word) => typeof word === 'string') ? words : undefined
  } catch {
    return undefined
  }
}

function parsePairs(rest: string): [string, string][] {
  // The old form: one name, and everything after it.
  if (!/^[^\s=]+=/.test(rest)) {
    const [, name = '', value = ''] = /^(\S+)\s+(.*)$/s.exec(rest) ?? []
    if (name === '') throw new Error('a name and a value are needed')
    return [[name, unquoted(value)]]
  }
  const pairs = [...rest.matchAll(/([^\s=]+)=("(?:[^"\\]|\\.)*"|'[^']*'|(?:\\.|[^\s"'\\])*)/g)]
  return pairs.map(([, name = '', value = '']): [string, string] => [name, unquoted(value)])
}

function unquoted(text: string): string {
  if (/^'.*'$/s.test(text)) return text.slice(1, -1)
  const inner = /^".*"$/s.test(text) ? text.slice(1, -1) : text
  return inner.replace(/\\(.)/g, '$1')
}
