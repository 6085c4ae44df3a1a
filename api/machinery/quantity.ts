/**
 * Quantities: `100m`, `0.5`, `1Gi`, `1e3`. Exact, and canonical in upstream's sense: equal quantities of one format are
 * written the same way. A quantity finer than one billionth is rounded up, away from zero.
 */

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

export interface ParsedQuantity {
  /** The value in billionths. */
  nanos: bigint
  format: QuantityFormat
}

const shape = /^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$/
const formatMessage = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const suffixMessage = "unable to parse quantity's suffix"
const numericMessage = 'unable to parse numeric part of quantity'

const nano = 1_000_000_000n
/** Decimal suffixes by their power of ten. */
const decimalSuffixes = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
])
const decimalByPower = new Map([...decimalSuffixes].map(([suffix, power]) => [power, suffix]))
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
/** Upstream's largest: what is larger is cut down to it. */
const maxNanos = ((1n << 63n) - 1n) * nano

/** Reads a quantity. Throws an Error in upstream's words. */
export function parseQuantity(text: string): ParsedQuantity {
  const match = shape.exec(text)
  if (!match) throw new Error(formatMessage)
  const [, number = '', suffix = ''] = match
  const { power, binaryPower, format } = parseSuffix(suffix)
  const parts = number.match(/^([+-]?)(\d*)(?:\.(\d*))?$/)
  if (!parts || (parts[2] === '' && (parts[3] ?? '') === '')) throw new Error(numericMessage)
  const [, sign, whole = '', fraction = ''] = parts
  // The number without its point, times ten to the exponent, times two to the binary power.
  const digits = BigInt(`${whole}${fraction}` || '0') << BigInt(binaryPower)
  let nanos = scaleUp(digits, power - fraction.length + 9)
  if (nanos > maxNanos) nanos = maxNanos
  return { nanos: sign === '-' ? -nanos : nanos, format }
}

function parseSuffix(suffix: string): { power: number; binaryPower: number; format: QuantityFormat } {
  const power = decimalSuffixes.get(suffix)
  if (power !== undefined) return { power, binaryPower: 0, format: 'DecimalSI' }
  const binary = binarySuffixes.indexOf(suffix)
  if (binary > 0) return { power: 0, binaryPower: binary * 10, format: 'BinarySI' }
  const exponent = suffix.match(/^[eE]([-+]?\d{1,3})$/)
  if (!exponent) throw new Error(suffixMessage)
  return { power: Number(exponent[1]), binaryPower: 0, format: 'DecimalExponent' }
}

/** digits × 10^power, rounded up to a whole number. */
function scaleUp(digits: bigint, power: number): bigint {
  if (power >= 0) return power > 60 && digits > 0n ? maxNanos + 1n : digits * 10n ** BigInt(power)
  const divisor = 10n ** BigInt(-power)
  return (digits + divisor - 1n) / divisor
}

/** Whether upstream would read it. */
export function isQuantity(text: unknown): boolean {
  return quantityFault(text) === undefined
}

/** What is wrong with a quantity, in upstream's words; undefined for a good one. */
export function quantityFault(text: unknown): string | undefined {
  if (typeof text === 'number') return undefined
  if (typeof text !== 'string') return formatMessage
  try {
    parseQuantity(text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const canonical = new Map<string, string>()
const maxRemembered = 4096

/** The canonical spelling. Throws an Error for what is no quantity. */
export function canonicalQuantity(value: string | number): string {
  const text = String(value)
  const known = canonical.get(text)
  if (known !== undefined) return known
  const result = formatQuantity(parseQuantity(text))
  // The same few quantities come again and again.
  if (canonical.size >= maxRemembered) canonical.clear()
  canonical.set(text, result)
  return result
}

/** A quantity in its canonical spelling. */
export function formatQuantity({ nanos, format }: ParsedQuantity): string {
  if (nanos === 0n) return '0'
  const sign = nanos < 0n ? '-' : ''
  const size = nanos < 0n ? -nanos : nanos
  // Upstream writes small and fractional amounts in decimal, whatever they were read as.
  if (format === 'BinarySI' && size >= 1024n * nano && size % nano === 0n) {
    let whole = size / nano
    let step = 0
    while (whole % 1024n === 0n && step < binarySuffixes.length - 1) {
      whole /= 1024n
      step++
    }
    return `${sign}${whole}${binarySuffixes[step]}`
  }
  let mantissa = size
  let power = -9
  while (mantissa % 1000n === 0n && power < 18) {
    mantissa /= 1000n
    power += 3
  }
  if (format === 'DecimalExponent') return `${sign}${mantissa}${power === 0 ? '' : `e${power}`}`
  return `${sign}${mantissa}${decimalByPower.get(power)}`
}

const nanosOf = (quantity: string | number | undefined): bigint =>
  quantity === undefined ? 0n : parseQuantity(String(quantity)).nanos

/** Negative, zero or positive as a is less than, equal to or more than b. */
export function compareQuantity(a: string | number, b: string | number): number {
  const difference = nanosOf(a) - nanosOf(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** The value as a number; large or fine ones lose precision. */
export const quantityToNumber = (quantity: string | number | undefined): number => Number(nanosOf(quantity)) / 1e9

/** Whole units, rounded up: what upstream's Value() gives. */
export function quantityValue(quantity: string | number | undefined): number {
  const nanos = nanosOf(quantity)
  return Number(nanos >= 0n ? (nanos + nano - 1n) / nano : -((-nanos + nano - 1n) / nano))
}

/** Thousandths, rounded up. */
export function quantityMilli(quantity: string | number | undefined): number {
  const nanos = nanosOf(quantity)
  const milli = 1_000_000n
  return Number(nanos >= 0n ? (nanos + milli - 1n) / milli : -((-nanos + milli - 1n) / milli))
}

/** a + b, in a's format (b's where a is nothing). */
export const addQuantity = (a: string | number | undefined, b: string | number): string => combine(a, b, 1n)
/** a - b, in a's format. */
export const subQuantity = (a: string | number | undefined, b: string | number): string => combine(a, b, -1n)

function combine(a: string | number | undefined, b: string | number, sign: bigint): string {
  const right = parseQuantity(String(b))
  const left = a === undefined ? { nanos: 0n, format: right.format } : parseQuantity(String(a))
  const format = left.nanos === 0n ? right.format : left.format
  return formatQuantity({ nanos: left.nanos + sign * right.nanos, format })
}
