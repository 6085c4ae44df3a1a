import { describe, expect, it } from 'vitest'
import type { Device } from '../generated/types.ts'
import { compileDeviceSelector, seenDevice } from './device-selector.ts'

const gpu: Device = {
  name: 'gpu-0',
  attributes: {
    model: { string: 'big' },
    index: { int: 3 },
    healthy: { bool: true },
    driverVersion: { version: '1.10.0' },
    'other.example.com/numa': { int: 1 },
  },
  capacity: { memory: { value: '40Gi' } },
}
const seen = seenDevice('gpu.example.com', gpu)

/** What the selector says of the device, or why it cannot be compiled or evaluated. */
function ask(expression: string): boolean | string {
  const compiled = compileDeviceSelector(expression)
  if ('fault' in compiled) return compiled.fault
  try {
    return compiled.matches(seen)
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? ''
  }
}

describe('a selector of devices', () => {
  it.each([
    ['device.driver == "gpu.example.com"', true],
    ['device.driver == "x"', false],
    ['device.attributes["gpu.example.com"].model == "big"', true],
    ['device.attributes["gpu.example.com"].index >= 3', true],
    ['device.attributes["gpu.example.com"].healthy', true],
    ['device.attributes["other.example.com"].numa == 1', true],
    ['device.attributes["gpu.example.com"].driverVersion.isGreaterThan(semver("1.9.0"))', true],
    ['device.attributes["gpu.example.com"].driverVersion.compareTo(semver("v1.10", true)) == 0', true],
    ['device.capacity["gpu.example.com"].memory.compareTo(quantity("40Gi")) == 0', true],
    ['device.capacity["gpu.example.com"].memory.isGreaterThan(quantity("41Gi"))', false],
    ['device.capacity["gpu.example.com"].memory == quantity("40960Mi")', true],
    ['device.attributes["gpu.example.com"].model.matches("^b.g$")', true],
    ['cel.bind(a, device.attributes["gpu.example.com"], a.healthy && a.index < 10)', true],
    ['["big", "huge"].exists(m, m == device.attributes["gpu.example.com"].model)', true],
    ['device.attributes["gpu.example.com"].?colour.orValue("red") == "red"', true],
    ['!device.allowMultipleAllocations', true],
  ])('%s: %s', (expression, expected) => {
    expect(ask(expression)).toBe(expected)
  })

  it('can ask for what is not there', () => {
    expect(ask('"numa" in device.attributes["nobody.example.com"]')).toBe(false)
    expect(ask('"nobody.example.com" in device.attributes')).toBe(false)
    expect(ask('has(device.attributes["gpu.example.com"].model)')).toBe(true)
    expect(ask('has(device.attributes["gpu.example.com"].colour)')).toBe(false)
    expect(ask('device.attributes["nobody.example.com"].numa == 1')).toBe('No such key: numa')
  })

  it('has to be about a yes or a no', () => {
    expect(ask('device.driver')).toBe('must evaluate to bool or the unknown type, not string')
    expect(ask('device.attributes["gpu.example.com"].model')).toBe(
      'CEL result of type string could not be converted to bool',
    )
    expect(ask('device.attributes["gpu.example.com"].model > 1')).toContain('no such overload')
  })

  it.each([
    [
      'noSuchVar',
      "compilation failed: ERROR: <input>:1:1: undeclared reference to 'noSuchVar' (in container '')\n | noSuchVar\n | ^",
    ],
    [
      'true &&\n  device.nope',
      "compilation failed: ERROR: <input>:2:9: undefined field 'nope'\n |   device.nope\n | ........^",
    ],
    [
      'device.driver == 1',
      "compilation failed: ERROR: <input>:1:1: found no matching overload for '_==_' applied to '(string, int)'\n | device.driver == 1\n | ^",
    ],
    ['1 +', 'compilation failed: ERROR: <input>:1:4: Syntax error: unexpected token: EOF\n | 1 +\n | ...^'],
  ])('is refused with the place where it is wrong: %j', (expression, fault) => {
    expect(ask(expression)).toBe(fault)
  })

  it('must not take long', () => {
    const ten = '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]'
    const nested = (depth: number): string => (depth === 0 ? 'true' : `${ten}.all(x${depth}, ${nested(depth - 1)})`)
    expect(ask(nested(3))).toBe(true)
    expect(ask(nested(7))).toBe('too complex, exceeds cost limit')
    const doubled = (depth: number): string =>
      depth === 0 ? `size(a0) > 0` : `cel.bind(a${depth - 1}, a${depth} + a${depth}, ${doubled(depth - 1)})`
    expect(ask(`cel.bind(a40, ${ten}, ${doubled(40)})`)).toBe('too complex, exceeds cost limit')
  })

  it('is matched in linear time, whatever its pattern', () => {
    expect(ask(`"${'a'.repeat(60)}!".matches("(a+)+$")`)).toBe(false)
    expect(ask('"abc".matches("(?=a)")')).toContain('invalid or unsupported')
  })
})
