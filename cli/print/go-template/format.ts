/** How Go's fmt shows values. Those of a template and of its functions are Go's int, those of objects int64 or float64. */

/** `%v`: what `{{.field}}` shows. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'number') return goFloat(value)
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const fields = value as Record<string, unknown>
  return `map[${Object.keys(fields)
    .sort()
    .map((name) => `${name}:${shown(fields[name])}`)
    .join(' ')}]`
}

/** The shortest decimal; an exponent from a million on, and below a ten-thousandth, for what is no whole number. */
function goFloat(value: number): string {
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (Number.isInteger(value) || (power >= -4 && power < 6)) return String(value)
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** `print`: a space between two of which neither is a text. */
export function sprint(values: readonly unknown[]): string {
  let text = ''
  values.forEach((value, i) => {
    if (i > 0 && typeof value !== 'string' && typeof values[i - 1] !== 'string') text += ' '
    text += shown(value)
  })
  return text
}

/** `println`. */
export const sprintln = (values: readonly unknown[]): string => `${values.map(shown).join(' ')}\n`

const directive = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?([a-zA-Z%])|%/g

/** `printf`. What does not fit is said in the text, as Go does. */
export function sprintf(format: string, values: readonly unknown[]): string {
  let next = 0
  const text = format.replace(
    directive,
    (whole: string, flags?: string, width?: string, precision?: string, verb?: string) => {
      if (verb === undefined) return '%!(NOVERB)'
      if (verb === '%') return '%'
      const size = (given: string | undefined) => (given === '*' ? Number(values[next++]) : given && Number(given))
      const wide = size(width)
      const exact = whole.includes('.') ? (size(precision) ?? 0) : undefined
      if (next >= values.length) return `%!${verb}(MISSING)`
      const value = values[next++]
      const body = formatted(verb, value, flags ?? '', typeof exact === 'number' ? exact : undefined)
      return padded(body, flags ?? '', Number(wide ?? 0), value)
    },
  )
  const extra = values.slice(next).map((value) => `${goType(value)}=${shown(value)}`)
  return extra.length > 0 ? `${text}%!(EXTRA ${extra.join(', ')})` : text
}

function padded(text: string, flags: string, width: number, value: unknown): string {
  const missing = width - [...text].length
  if (missing <= 0) return text
  if (flags.includes('-')) return text + ' '.repeat(missing)
  if (flags.includes('0') && isNumber(value)) {
    const sign = /^[+-]/.exec(text)?.[0] ?? ''
    return sign + '0'.repeat(missing) + text.slice(sign.length)
  }
  return ' '.repeat(missing) + text
}

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'

function formatted(verb: string, value: unknown, flags: string, precision: number | undefined): string {
  const signed = (text: string) => (flags.includes('+') && !text.startsWith('-') ? `+${text}` : text)
  switch (verb) {
    case 'v':
      return isNumber(value) ? signed(shown(value)) : shown(value)
    case 's':
      if (typeof value === 'object' && value !== null) return shown(value)
      return typeof value === 'string' ? [...value].slice(0, precision).join('') : misfit(verb, value)
    case 'q':
      return typeof value === 'string'
        ? goQuoted(value)
        : isNumber(value)
          ? `'${letterOf(value)}'`
          : misfit(verb, value)
    case 't':
      return typeof value === 'boolean' ? String(value) : misfit(verb, value)
    case 'T':
      return goType(value)
    case 'd':
      return isWhole(value) ? signed(String(BigInt(value))) : misfit(verb, value)
    case 'b':
    case 'o':
      return isWhole(value) ? BigInt(value).toString(verb === 'b' ? 2 : 8) : misfit(verb, value)
    case 'x':
    case 'X': {
      const hex = isWhole(value)
        ? BigInt(value).toString(16)
        : typeof value === 'string'
          ? Buffer.from(value).toString('hex')
          : undefined
      if (hex === undefined) return misfit(verb, value)
      return verb === 'X' ? hex.toUpperCase() : hex
    }
    case 'c':
      return isWhole(value) ? letterOf(value) : misfit(verb, value)
    case 'f':
    case 'F':
      return isNumber(value) ? signed(Number(value).toFixed(precision ?? 6)) : misfit(verb, value)
    case 'e':
    case 'g':
      if (!isNumber(value)) return misfit(verb, value)
      return signed(
        verb === 'g' && precision === undefined
          ? shown(Number(value))
          : Number(value)
              .toExponential(precision ?? 6)
              .replace(/e([+-])(\d)$/, 'e$10$2'),
      )
  }
  return misfit(verb, value)
}

const isWhole = (value: unknown): value is number | bigint =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))

const letterOf = (value: number | bigint): string => String.fromCodePoint(Number(value))

const misfit = (verb: string, value: unknown): string =>
  value === null || value === undefined ? `%!${verb}(<nil>)` : `%!${verb}(${goType(value)}=${shown(value)})`

function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  switch (typeof value) {
    case 'bigint':
      return 'int'
    case 'number':
      return Number.isInteger(value) ? 'int64' : 'float64'
    case 'boolean':
      return 'bool'
    case 'object':
      return 'map[string]interface {}'
    default:
      return 'string'
  }
}

/** A text in quotes, as Go writes one. */
const goQuoted = (text: string): string =>
  JSON.stringify(text).replace(/\\u00(0[0-689a-f]|1[0-9a-f])/g, (_, code: string) =>
    code === '07' ? '\\a' : code === '0b' ? '\\v' : `\\x${code}`,
  )
