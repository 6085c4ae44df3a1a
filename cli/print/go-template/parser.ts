import { nearest } from '../../nearest.ts'
import { broken } from './errors.ts'
import { functionNames } from './functions.ts'
import { lex, type Piece, type Token } from './lexer.ts'
import type { Node, Operand, Parsed, Pipeline } from './nodes.ts'

/** Reads a template. Throws a CliError that says what is wrong, and where. */
export function parse(text: string): Parsed {
  const parser = new Parser(text)
  return { text, body: parser.whole(), named: parser.named }
}

class Parser {
  readonly named = new Map<string, readonly Node[]>()
  readonly #text: string
  readonly #pieces: readonly Piece[]
  #at = 0
  #loops = 0

  constructor(text: string) {
    this.#text = text
    this.#pieces = lex(text)
  }

  whole(): Node[] {
    const { nodes, end } = this.#nodes()
    if (end) throw broken(this.#text, end.at, `unexpected {{${end.text}}}: there is nothing to ${end.text}`)
    return nodes
  }

  /** Up to the `end` or `else` of what is open, or to the end of the template. */
  #nodes(): { nodes: Node[]; end?: Token; rest?: Tokens } {
    const nodes: Node[] = []
    for (let piece = this.#pieces[this.#at++]; piece; piece = this.#pieces[this.#at++]) {
      if (piece.type === 'text') {
        nodes.push(piece)
        continue
      }
      const tokens = new Tokens(this.#text, piece.tokens, piece.at)
      const first = tokens.peek()
      if (first?.type === 'word' && (first.text === 'end' || first.text === 'else')) {
        tokens.next()
        return { nodes, end: first, rest: tokens }
      }
      const node = this.#action(tokens)
      if (node) nodes.push(node)
      tokens.expectEnd()
    }
    return { nodes }
  }

  #action(tokens: Tokens): Node | undefined {
    const word = tokens.peek()
    if (word?.type !== 'word') return { type: 'print', pipeline: tokens.pipeline() }
    switch (word.text) {
      case 'if':
      case 'with':
      case 'range':
        tokens.next()
        return this.#control(word.text, word, tokens)
      case 'define': {
        tokens.next()
        const name = tokens.text('a name in quotes')
        this.named.set(name, this.#untilEnd(word))
        return undefined
      }
      case 'block': {
        tokens.next()
        const name = tokens.text('a name in quotes')
        const pipeline = tokens.pipeline()
        this.named.set(name, this.#untilEnd(word))
        return { type: 'template', name, pipeline, at: word.at }
      }
      case 'template': {
        tokens.next()
        const name = tokens.text('a name in quotes')
        return { type: 'template', name, pipeline: tokens.peek() ? tokens.pipeline() : undefined, at: word.at }
      }
      case 'break':
      case 'continue':
        tokens.next()
        if (this.#loops === 0) throw broken(this.#text, word.at, `{{${word.text}}} outside {{range}}`)
        return { type: word.text }
    }
    return { type: 'print', pipeline: tokens.pipeline() }
  }

  #control(type: 'if' | 'with' | 'range', word: Token, tokens: Tokens): Node {
    const pipeline = tokens.pipeline(type === 'range')
    tokens.expectEnd()
    if (type === 'range') this.#loops++
    const { nodes: body, end, rest } = this.#nodes()
    if (type === 'range') this.#loops--
    if (!end) throw broken(this.#text, word.at, `unclosed {{${type}}}: end it with {{end}}`)
    return { type, pipeline, body, otherwise: end.text === 'else' ? this.#otherwise(word, rest) : [] }
  }

  /** After `else`; `else if` needs no end of its own. */
  #otherwise(word: Token, rest: Tokens | undefined): readonly Node[] {
    const next = rest?.peek()
    if (rest && next?.type === 'word' && (next.text === 'if' || next.text === 'with')) {
      rest.next()
      return [this.#control(next.text, next, rest)]
    }
    rest?.expectEnd()
    return this.#untilEnd(word)
  }

  #untilEnd(word: Token): readonly Node[] {
    const { nodes, end } = this.#nodes()
    if (!end) throw broken(this.#text, word.at, `unclosed {{${word.text}}}: end it with {{end}}`)
    if (end.text !== 'end') throw broken(this.#text, end.at, 'unexpected {{else}}: an {{end}} should stand here')
    return nodes
  }
}

/** The tokens of one action. */
class Tokens {
  readonly #text: string
  readonly #tokens: readonly Token[]
  readonly #start: number
  #at = 0

  constructor(text: string, tokens: readonly Token[], start: number) {
    this.#text = text
    this.#tokens = tokens
    this.#start = start
  }

  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#at + ahead]
  }

  next(): Token | undefined {
    return this.#tokens[this.#at++]
  }

  expectEnd(): void {
    const token = this.peek()
    if (token) throw this.#unexpected(token)
  }

  text(what: string): string {
    const token = this.next()
    if (token?.type !== 'string') throw broken(this.#text, token?.at ?? this.#start, `${what} should stand here`)
    return unquote(token)
  }

  /** `$x := …`, `$i, $e := …` in a range, and commands with pipes between them. */
  pipeline(inRange = false): Pipeline {
    const at = this.peek()?.at ?? this.#start
    const variables: string[] = []
    let sets = false
    if (this.peek()?.type === 'variable') {
      const sign = this.peek(1)?.text
      const second = this.peek(2)
      if (sign === ':=' || sign === '=') {
        variables.push((this.next() as Token).text)
        sets = this.next()?.text === '='
      } else if (inRange && sign === ',' && second?.type === 'variable' && /^:?=$/.test(this.peek(3)?.text ?? '')) {
        variables.push((this.next() as Token).text, second.text)
        this.#at += 2
        sets = this.next()?.text === '='
      }
    }
    const commands = [this.#command()]
    while (this.peek()?.text === '|' && this.peek()?.type === 'sign') {
      this.next()
      commands.push(this.#command())
    }
    return { commands, variables, sets, at }
  }

  /** An operand alone, or a function with its arguments. */
  #command(): Operand {
    const first = this.peek()
    if (first?.type === 'word' && !literals.has(first.text)) {
      this.next()
      const args: Operand[] = []
      while (this.#startsOperand()) args.push(this.#operand())
      return this.#call(first, args)
    }
    const operand = this.#operand()
    const more = this.peek()
    if (more && this.#startsOperand())
      throw broken(this.#text, more.at, `only a function takes arguments, and what is before "${more.text}" is none`)
    return operand
  }

  #startsOperand(): boolean {
    const token = this.peek()
    return Boolean(token) && !(token?.type === 'sign' && token.text !== '(' && token.text !== '.')
  }

  #operand(): Operand {
    let operand = this.#simple()
    const names: string[] = []
    for (let token = this.peek(); token?.type === 'field' && !token.apart; token = this.peek()) {
      names.push(token.text.slice(1))
      this.next()
    }
    if (names.length === 0) return operand
    if (operand.type === 'literal') throw broken(this.#text, operand.at, 'what stands there as it is has no fields')
    operand =
      operand.type === 'fields'
        ? { ...operand, names: [...operand.names, ...names] }
        : { type: 'fields', of: operand, names, at: operand.at }
    return operand
  }

  #simple(): Operand {
    const token = this.next()
    if (!token) throw broken(this.#text, this.#start, 'missing value: there is nothing to show')
    const { at } = token
    switch (token.type) {
      case 'string':
        return { type: 'literal', value: unquote(token), at }
      case 'char':
        return { type: 'literal', value: BigInt(unquote(token).codePointAt(0) ?? 0), at }
      case 'number':
        return { type: 'literal', value: numberOf(token.text), at }
      case 'field':
        return { type: 'fields', of: undefined, names: [token.text.slice(1)], at }
      case 'variable':
        return { type: 'variable', name: token.text, at }
      case 'word':
        if (literals.has(token.text)) return { type: 'literal', value: literals.get(token.text) ?? null, at }
        return this.#call(token, [])
      case 'sign':
        if (token.text === '.') return { type: 'dot', at }
        if (token.text === '(') {
          const pipeline = this.pipeline()
          const close = this.next()
          if (close?.text !== ')') throw broken(this.#text, at, 'unclosed left paren: a ( without its )')
          return { type: 'pipeline', pipeline, at }
        }
    }
    throw this.#unexpected(token)
  }

  #call({ text: name, at }: Token, args: readonly Operand[]): Operand {
    if (functionNames.has(name)) return { type: 'call', name, args, at }
    const meant = nearest(name, functionNames)
    throw broken(
      this.#text,
      at,
      `function "${name}" not defined${meant ? `. Did you mean "${meant}"?` : `; a field begins with a dot: .${name}`}`,
    )
  }

  #unexpected(token: Token) {
    return broken(this.#text, token.at, `unexpected "${token.text}"`)
  }
}

const literals = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['nil', null],
])

function numberOf(text: string): number | bigint {
  const plain = text.replaceAll('_', '')
  const isHex = /^[+-]?0[xX]/.test(plain)
  if (!isHex && /[.eE]/.test(plain)) return Number(plain)
  const value = BigInt(plain.replace(/^[+-]/, '').replace(/^0(?=[0-7])/, '0o'))
  return plain.startsWith('-') ? -value : value
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
}

function unquote({ text }: Token): string {
  const inner = text.slice(1, -1)
  if (text.startsWith('`')) return inner
  return inner.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.))/gs,
    (_, x?: string, u?: string, U?: string, octal?: string, letter = '') => {
      const hex = x ?? u ?? U
      if (hex) return String.fromCodePoint(Number.parseInt(hex, 16))
      return octal ? String.fromCodePoint(Number.parseInt(octal, 8)) : (escapes[letter] ?? letter)
    },
  )
}
