import type { Device } from '../generated/types.ts'
import { compile, newEnvironment } from './compile.ts'
import { Quantity } from './quantity.ts'
import { parseSemver } from './semver.ts'

/** Upstream's bounds of selectors of devices. */
const maxCost = 1_000_000
const maxAttributes = 32
const maxTextLength = 64

/** What a selector sees of a device. */
export class SeenDevice {
  driver = ''
  allowMultipleAllocations = false
  attributes: ReadonlyMap<string, ReadonlyMap<string, unknown>> = new Map()
  capacity: ReadonlyMap<string, ReadonlyMap<string, Quantity>> = new Map()
}

/** By domain; one that is not there is empty, so that its names can be asked for all the same. */
function newByDomain<V>(): Map<string, Map<string, V>> {
  const domains = new Map<string, Map<string, V>>()
  // The library takes no subclasses for maps.
  domains.get = (domain) => Map.prototype.get.call(domains, domain) ?? new Map()
  return domains
}

let shared: ReturnType<typeof newEnvironment> | undefined

function environment() {
  shared ??= newEnvironment()
    .registerType('kubernetes.DRADevice', {
      ctor: SeenDevice,
      fields: {
        driver: 'string',
        allowMultipleAllocations: 'bool',
        attributes: 'map<string, map<string, dyn>>',
        capacity: 'map<string, map<string, Quantity>>',
      },
    })
    .registerVariable('device', 'kubernetes.DRADevice')
  return shared
}

/** A device, the driver it belongs to, ready to be asked about any number of times. */
export function seenDevice(driver: string, device: Device): SeenDevice {
  const seen = new SeenDevice()
  seen.driver = driver
  seen.allowMultipleAllocations = device.allowMultipleAllocations ?? false
  seen.attributes = byDomain(driver, device.attributes, ({ int, bool, string, version }, name) => {
    if (int !== undefined) return BigInt(int)
    if (version !== undefined) return parseSemver(version)
    const value = bool ?? string
    if (value === undefined) throw new Error(`attribute ${name}: unsupported attribute value`)
    return value
  })
  seen.capacity = byDomain(driver, device.capacity, ({ value }) => new Quantity(value))
  return seen
}

function byDomain<T, V>(driver: string, entries: Record<string, T> | undefined, read: (entry: T, name: string) => V) {
  const domains = newByDomain<V>()
  for (const [name, entry] of Object.entries(entries ?? {})) {
    const slash = name.indexOf('/')
    const domain = slash < 0 ? driver : name.slice(0, slash)
    const known = domains.get(domain) ?? new Map<string, V>()
    domains.set(domain, known.set(name.slice(slash + 1), read(entry, name)))
  }
  return domains
}

/** Whether a device is one of those meant. Throws an Error where the expression cannot be evaluated for it. */
type DeviceSelectorProgram = (device: SeenDevice) => boolean

/** A selector of devices ready to be used, or what is wrong with it, in upstream's words. */
export function compileDeviceSelector(expression: string): { matches: DeviceSelectorProgram } | { fault: string } {
  const bounds = { results: ['bool'], maxCost, maxSize: Math.max(maxAttributes, maxTextLength) }
  const compiled = compile(environment(), expression, bounds)
  if ('fault' in compiled) return compiled
  return {
    matches(device) {
      const result = compiled.run({ device })
      if (typeof result === 'boolean') return result
      throw new Error(`CEL result of type ${typeof result} could not be converted to bool`)
    },
  }
}
