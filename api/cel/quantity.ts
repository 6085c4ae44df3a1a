import type { Environment } from '@marcbachmann/cel-js'
import { addQuantity, compareQuantity, isQuantity, parseQuantity, subQuantity } from '../machinery/quantity.ts'

const nano = 1_000_000_000n
const maxInt = (1n << 63n) - 1n

/** A quantity as expressions see it. Throws an Error for what is none. */
export class Quantity {
  readonly text: string
  readonly nanos: bigint
  constructor(text: string) {
    this.text = text
    this.nanos = parseQuantity(text).nanos
  }
}

const compare = (a: Quantity, b: Quantity): number => compareQuantity(a.text, b.text)
const isWhole = ({ nanos }: Quantity): boolean => nanos % nano === 0n && nanos / nano <= maxInt

function wholeOf(quantity: Quantity): bigint {
  if (!isWhole(quantity)) throw new Error('cannot convert value to integer')
  return quantity.nanos / nano
}

/** `quantity('1Gi')` and what upstream lets one do with it. */
export function addQuantities(environment: Environment): void {
  environment
    .registerType('Quantity', { ctor: Quantity, fields: {} })
    .registerOperator('Quantity == Quantity', (a: Quantity, b: Quantity) => a.nanos === b.nanos)
    .registerFunction('quantity(string): Quantity', (text: string) => new Quantity(text))
    .registerFunction('isQuantity(string): bool', (text: string) => isQuantity(text))
    .registerFunction('Quantity.isGreaterThan(Quantity): bool', (a: Quantity, b: Quantity) => compare(a, b) > 0)
    .registerFunction('Quantity.isLessThan(Quantity): bool', (a: Quantity, b: Quantity) => compare(a, b) < 0)
    .registerFunction('Quantity.compareTo(Quantity): int', (a: Quantity, b: Quantity) => BigInt(compare(a, b)))
    .registerFunction('Quantity.add(Quantity): Quantity', (a: Quantity, b: Quantity) => plus(a, b.text))
    .registerFunction('Quantity.add(int): Quantity', (a: Quantity, b: bigint) => plus(a, String(b)))
    .registerFunction('Quantity.sub(Quantity): Quantity', (a: Quantity, b: Quantity) => minus(a, b.text))
    .registerFunction('Quantity.sub(int): Quantity', (a: Quantity, b: bigint) => minus(a, String(b)))
    .registerFunction('Quantity.sign(): int', ({ nanos }: Quantity) => (nanos > 0n ? 1n : nanos < 0n ? -1n : 0n))
    .registerFunction('Quantity.isInteger(): bool', isWhole)
    .registerFunction('Quantity.asInteger(): int', wholeOf)
    .registerFunction('Quantity.asApproximateFloat(): double', ({ nanos }: Quantity) => Number(nanos) / 1e9)
}

const plus = (a: Quantity, b: string): Quantity => new Quantity(addQuantity(a.text, b))
const minus = (a: Quantity, b: string): Quantity => new Quantity(subQuantity(a.text, b))
