import { isIPv6 } from 'node:net'

/** Parts of equal size of a range of addresses: which are taken, and the next that is free. */
export class RangeSet {
  readonly #base: bigint
  readonly #partBits: bigint
  readonly #partMask: number
  readonly #count: number
  readonly #v6: boolean
  readonly #taken = new Set<number>()
  #next = 0

  /** Throws an Error for what is no range, or parts that are larger than it. */
  constructor(range: string, partMask: number) {
    const [address = '', size = ''] = range.split('/')
    this.#v6 = isIPv6(address)
    const bits = this.#v6 ? 128 : 32
    const mask = Number(size)
    if (!Number.isInteger(mask) || partMask < mask || partMask > bits)
      throw new Error(`${range} cannot be divided into parts of size /${partMask}`)
    this.#partMask = partMask
    this.#partBits = BigInt(bits - partMask)
    // Upstream gives at most 65,536 of an IPv6 range.
    this.#count = 2 ** Math.min(partMask - mask, 16)
    const width = BigInt(bits - mask)
    this.#base = (toNumber(address) >> width) << width
  }

  /** Takes the next free part, round and round; undefined when all are taken. */
  take(): string | undefined {
    for (let i = 0; i < this.#count; i++) {
      const candidate = (this.#next + i) % this.#count
      if (this.#taken.has(candidate)) continue
      this.#taken.add(candidate)
      this.#next = (candidate + 1) % this.#count
      return this.#text(candidate)
    }
    return undefined
  }

  /** Notes that the range is in use; what lies elsewhere is nobody's business here. */
  occupy(range: string): void {
    for (const part of this.#partsOf(range)) this.#taken.add(part)
  }

  release(range: string): void {
    for (const part of this.#partsOf(range)) this.#taken.delete(part)
  }

  *#partsOf(range: string): Iterable<number> {
    const [address = '', size = ''] = range.split('/')
    if (isIPv6(address) !== this.#v6) return
    const width = BigInt((this.#v6 ? 128 : 32) - Number(size))
    const first = ((toNumber(address) >> width) << width) - this.#base
    const last = first + (1n << width) - 1n
    for (
      let part = max(first >> this.#partBits, 0n);
      part <= last >> this.#partBits && part < BigInt(this.#count);
      part++
    )
      if (part >= 0n) yield Number(part)
  }

  #text(part: number): string {
    return `${toText(this.#base + (BigInt(part) << this.#partBits), this.#v6)}/${this.#partMask}`
  }
}

const max = (a: bigint, b: bigint) => (a > b ? a : b)

function toNumber(address: string): bigint {
  if (!isIPv6(address)) return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
  const [head = '', tail] = address.split('::')
  const words = (text: string) => (text === '' ? [] : text.split(':'))
  const [before, after] = [words(head), words(tail ?? '')]
  const zeros = tail === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...after].reduce((sum, word) => (sum << 16n) | BigInt(`0x${word}`), 0n)
}

function toText(value: bigint, v6: boolean): string {
  if (!v6) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const words = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  // The longest run of zeros is left out.
  const text = words.join(':')
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)
  const [run] = runs
  if (!run) return text
  const left = text.slice(0, run.index)
  const right = text.slice(run.index + run[0].length)
  return `${left}::${right.replace(/^:/, '')}`
}
