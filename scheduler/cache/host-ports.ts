import type { HostPort } from '../framework/pod-info.ts'

const anyAddress = '0.0.0.0'

/** The ports of a node that its pods have taken, by protocol and port, with the addresses each is taken on. */
export class UsedPorts {
  readonly #addresses = new Map<string, string[]>()

  add({ address, protocol, port }: HostPort): void {
    const key = `${protocol}/${port}`
    const addresses = this.#addresses.get(key)
    if (addresses) addresses.push(address)
    else this.#addresses.set(key, [address])
  }

  remove({ address, protocol, port }: HostPort): void {
    const key = `${protocol}/${port}`
    const addresses = this.#addresses.get(key)
    const at = addresses?.indexOf(address) ?? -1
    if (!addresses || at < 0) return
    addresses.splice(at, 1)
    if (addresses.length === 0) this.#addresses.delete(key)
  }

  /** Whether the port is taken on the address; 0.0.0.0 stands for every address. */
  conflicts({ address, protocol, port }: HostPort): boolean {
    const addresses = this.#addresses.get(`${protocol}/${port}`)
    if (!addresses) return false
    return address === anyAddress || addresses.some((taken) => taken === address || taken === anyAddress)
  }
}
