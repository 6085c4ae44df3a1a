import { afterAll, expect, it } from 'vitest'
import { patternFault, useCompilers } from '../api/machinery/compilers.ts'
import { faults } from '../api/machinery/kind-testing.ts'
import { deviceClasses } from '../api/resource/index.ts'
import { loadCompilers } from './compilers.ts'

afterAll(() => useCompilers({}))

it('selectors of devices are refused where they are wrong, and where they would take too long', async () => {
  await loadCompilers()
  const ten = '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]'
  const nested = (depth: number): string => (depth === 0 ? 'true' : `${ten}.all(x${depth}, ${nested(depth - 1)})`)
  const selectors = ['device.driver == "a"', 'driver', nested(7)].map((expression) => ({ cel: { expression } }))
  expect(faults(deviceClasses, { metadata: { name: 'c' }, spec: { selectors } })).toEqual([
    expect.stringContaining(
      'spec.selectors[1].cel.expression: Invalid value: "driver": compilation failed: ERROR: <input>:1:1: undeclared reference to \'driver\'',
    ),
    'spec.selectors[2].cel.expression: Forbidden: too complex, exceeds cost limit',
  ])
})

it('patterns are refused where they are none that take a time in proportion to the text', async () => {
  await loadCompilers()
  expect([patternFault('^a+$'), patternFault('(?=a)'), patternFault('(')]).toEqual([
    undefined,
    'error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
    'error parsing regexp: missing closing ): `(`',
  ])
})
