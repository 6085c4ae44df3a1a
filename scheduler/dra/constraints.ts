import type { DeviceAttribute } from '../../api/generated/types.ts'
import type { Demand } from './demands.ts'
import type { Claim } from './device-world.ts'
import type { OfferedDevice } from './pools.ts'

/** All devices it is about have the same value of an attribute. */
export class MatchAttribute {
  readonly #attribute: string
  readonly #requests: ReadonlySet<string>
  #value: string | undefined
  #count = 0

  constructor(attribute: string, requests: readonly string[]) {
    this.#attribute = attribute
    this.#requests = new Set(requests)
  }

  /** Whether the device may be added to those there are; then it counts as one of them. */
  add(demand: Demand, device: OfferedDevice): boolean {
    if (!this.#isAbout(demand)) return true
    const value = attributeOf(device, this.#attribute)
    if (value === undefined) return false
    if (this.#count > 0 && value !== this.#value) return false
    this.#value = value
    this.#count++
    return true
  }

  /** Takes back an {@link add} that was allowed. */
  remove(demand: Demand): void {
    if (this.#isAbout(demand)) this.#count--
  }

  #isAbout({ names }: Demand): boolean {
    return this.#requests.size === 0 || names.some((name) => this.#requests.has(name))
  }
}

/** The constraints of a claim, with no device yet. Throws an Error for one of a kind that is not stable. */
export function constraintsOf({ metadata, spec }: Claim): MatchAttribute[] {
  return (spec.devices?.constraints ?? []).map(({ matchAttribute, requests = [] }, i) => {
    if (matchAttribute !== undefined) return new MatchAttribute(matchAttribute, requests)
    const key = `${metadata.namespace ?? ''}/${metadata.name}`
    throw new Error(`claim ${key}, constraint #${i}: empty constraint (unsupported constraint type?)`)
  })
}

/** An attribute without domain is of the driver's. Values of different types are different. */
function attributeOf({ driver, device }: OfferedDevice, name: string): string | undefined {
  const { attributes = {} } = device
  const slash = name.indexOf('/')
  const short = name.slice(0, slash) === driver ? attributes[name.slice(slash + 1)] : undefined
  const attribute: DeviceAttribute | undefined = attributes[name] ?? short
  const { string, int, bool, version } = attribute ?? {}
  if (string === undefined && int === undefined && bool === undefined && version === undefined) return undefined
  return JSON.stringify({ string, int, bool, version })
}
