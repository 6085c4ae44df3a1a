import { expect, test } from 'vitest'
import { parseYaml } from './json.ts'

// What kubectl makes of the same.
test.each<[text: string, value: unknown]>([
  ['.', '.'],
  ['+.', '+.'],
  ['e2', 'e2'],
  ['.e3', '.e3'],
  ['._', '._'],
  ['.1_', '.1_'],
  ['0x_', '0x_'],
  ['0b_', '0b_'],
  ['1e', '1e'],
  ['1:30', '1:30'],
  ['_1', '_1'],
  ['1e3', 1000],
  ['1.e3', 1000],
  ['.5', 0.5],
  ['1.', 1],
  ['+1', 1],
  ['1__2', 12],
  ['1_0.5', 10.5],
  ['0b11', 3],
  ['0x1F', 31],
  ['010', 8],
  ['-0o10', -8],
  ['08', 8],
  ['2001-01-01', '2001-01-01'],
  ['no', false],
  ['~', null],
])('%s is %j', (text, value) => {
  expect(parseYaml(`a: ${text}`)).toEqual({ value: { a: value }, duplicates: [] })
  expect(parseYaml(`["${text}"]`).value).toEqual([text])
})
