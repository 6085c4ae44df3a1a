import { compileDeviceSelector, type SeenDevice, seenDevice } from '../../api/cel/device-selector.ts'
import type { Device, DeviceSelector } from '../../api/generated/types.ts'
import type { OfferedDevice } from './pools.ts'

type Program = ReturnType<typeof compileDeviceSelector>

const mostKept = 256
const programs = new Map<string, Program>()
/** Devices do not change: their slice is written anew. So what was found out about one holds as long as it is there. */
const known = new WeakMap<Device, { seen: SeenDevice; matches: Map<string, boolean> }>()

function programOf(expression: string): Program {
  const kept = programs.get(expression)
  if (kept) return kept
  const program = compileDeviceSelector(expression)
  if (programs.size >= mostKept) programs.clear()
  programs.set(expression, program)
  return program
}

/** Whether all selectors match a device. Throws an Error, which begins with `whose`, where one cannot be evaluated. */
export function selectorsMatch(selectors: readonly DeviceSelector[], offered: OfferedDevice, whose: string): boolean {
  return selectors.every(({ cel }, i) => matches(cel?.expression ?? '', offered, `${whose}: selector #${i}`))
}

function matches(expression: string, { device, driver }: OfferedDevice, which: string): boolean {
  const program = programOf(expression)
  if ('fault' in program) throw new Error(`${which}: CEL compile error: ${program.fault}`)
  try {
    let entry = known.get(device)
    if (!entry) {
      entry = { seen: seenDevice(driver, device), matches: new Map() }
      known.set(device, entry)
    }
    const before = entry.matches.get(expression)
    if (before !== undefined) return before
    const result = program.matches(entry.seen)
    entry.matches.set(expression, result)
    return result
  } catch (error) {
    throw new Error(`${which}: CEL runtime error: ${(error as Error).message}`)
  }
}
