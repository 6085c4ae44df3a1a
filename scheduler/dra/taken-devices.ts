import type { AllocationResult } from '../../api/generated/types.ts'
import type { Claim } from './device-world.ts'

/** Names a device among all. */
export const deviceId = (driver: string, pool: string, device: string): string => `${driver}/${pool}/${device}`

/** Which devices claims have, or are about to have. Access as administrator takes nothing away from anybody. */
export class TakenDevices {
  /** The claims that have a device, by their uids: while one takes over from another, both may. */
  readonly #holders = new Map<string, Set<string>>()
  /** What each claim has as far as the server has told. */
  readonly #held = new Map<string, readonly string[]>()
  /** What is being written to claims. */
  readonly #promised = new Map<string, readonly string[]>()

  has(device: string): boolean {
    return this.#holders.has(device)
  }

  /** The claim as the server tells of it. A promise has been kept as soon as it shows. */
  set({ metadata: { uid = '' }, status }: Claim): void {
    this.#change(this.#held, uid, devicesOf(status?.allocation))
    if (status?.allocation) this.release(uid)
  }

  /** The claim is no more. */
  delete({ metadata: { uid = '' } }: Claim): void {
    this.#change(this.#held, uid, [])
    this.release(uid)
  }

  /** From now on the devices are the claim's, although nobody else knows yet. */
  promise(uid: string, allocation: AllocationResult): void {
    this.#promised.set(uid, devicesOf(allocation))
    this.#recount(uid, devicesOf(allocation))
  }

  isPromised(uid: string): boolean {
    return this.#promised.has(uid)
  }

  /** Nothing came of a promise. */
  release(uid: string): void {
    const devices = this.#promised.get(uid)
    if (!devices) return
    this.#promised.delete(uid)
    this.#recount(uid, devices)
  }

  #change(record: Map<string, readonly string[]>, uid: string, devices: readonly string[]): void {
    const before = record.get(uid) ?? []
    if (devices.length > 0) record.set(uid, devices)
    else record.delete(uid)
    this.#recount(uid, [...before, ...devices])
  }

  #recount(uid: string, devices: readonly string[]): void {
    const its = new Set([...(this.#held.get(uid) ?? []), ...(this.#promised.get(uid) ?? [])])
    for (const device of devices) {
      const holders = this.#holders.get(device) ?? new Set()
      if (its.has(device)) holders.add(uid)
      else holders.delete(uid)
      if (holders.size > 0) this.#holders.set(device, holders)
      else this.#holders.delete(device)
    }
  }
}

const devicesOf = (allocation: AllocationResult | undefined): string[] =>
  (allocation?.devices?.results ?? [])
    .filter(({ adminAccess }) => !adminAccess)
    .map(({ driver, pool, device }) => deviceId(driver, pool, device))
