/** Gives addresses of an IPv4 range to pods, each next after the last one given, so that one is not soon used again. */
export class Addresses {
  #first = 0
  #count = 0
  #next = 0

  constructor(cidr: string) {
    this.setRange(cidr)
  }

  /** From now on, from this range. Throws an Error if it is not an IPv4 range. */
  setRange(cidr: string): void {
    const [address = '', bits = ''] = cidr.split('/')
    const parts = address.split('.').map(Number)
    const length = Number(bits)
    if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255)) || !(length >= 8 && length <= 30)) {
      throw new Error(`${JSON.stringify(cidr)} is not a range of IPv4 addresses`)
    }
    const [a = 0, b = 0, c = 0, d = 0] = parts
    const size = 2 ** (32 - length)
    const number = ((a * 256 + b) * 256 + c) * 256 + d
    // The first two are the network's own and what would be its gateway; the last is for broadcasts.
    this.#first = number - (number % size) + 2
    this.#count = size - 3
    this.#next = 0
  }

  /** Throws an Error when all are taken. */
  take(taken: ReadonlySet<string>): string {
    for (let tries = 0; tries < this.#count; tries++) {
      const address = text(this.#first + this.#next)
      this.#next = (this.#next + 1) % this.#count
      if (!taken.has(address)) return address
    }
    throw new Error(`all ${this.#count} addresses for pods on this node are taken`)
  }
}

const text = (number: number) => [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255].join('.')
