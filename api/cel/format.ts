import type { Environment } from '@marcbachmann/cel-js'
import { jsonValue } from './values.ts'

/** `'%s has %d'.format([name, count])`, as the language's extension for strings has it. */
export function addFormat(environment: Environment): void {
  environment.registerFunction('string.format(list): string', (text: string, values: unknown[]) => {
    let used = 0
    return text.replace(/%(?:\.(\d+))?([a-zA-Z%])/g, (_directive, digits: string | undefined, verb: string) => {
      if (verb === '%') return '%'
      if (used >= values.length) throw new Error(`index ${used} out of range`)
      return formatOne(verb, values[used++], digits === undefined ? 6 : Number(digits))
    })
  })
}

function formatOne(verb: string, value: unknown, digits: number): string {
  switch (verb) {
    case 's':
      return textOf(value)
    case 'd':
      return String(value)
    case 'f':
      return Number(value).toFixed(digits)
    case 'e':
      return Number(value)
        .toExponential(digits)
        .replace(/e([+-])(\d)$/, 'e$10$2')
    case 'b':
      return typeof value === 'boolean' ? String(Number(value)) : BigInt(value as bigint).toString(2)
    case 'o':
      return BigInt(value as bigint).toString(8)
    case 'x':
    case 'X': {
      const hex = typeof value === 'string' ? Buffer.from(value).toString('hex') : BigInt(value as bigint).toString(16)
      return verb === 'x' ? hex : hex.toUpperCase()
    }
    default:
      throw new Error(`unrecognized formatting clause "${verb}"`)
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`
  if (value === null || typeof value !== 'object') return String(value)
  return JSON.stringify(jsonValue(value))
}
