import { expect, test } from 'vitest'
import { gangFault, gangOf } from './gang.ts'

const [gang, min, timeout] = ['gantry.dev/gang', 'gantry.dev/gang-min-members', 'gantry.dev/gang-timeout']

test('a gang has a name, a size and a time to wait', () => {
  expect(gangOf({ [gang]: 'training', [min]: '3' })).toEqual({ name: 'training', minMembers: 3, timeoutMs: 60_000 })
  expect(gangOf({ [gang]: 'training', [min]: '3', [timeout]: '5m' })?.timeoutMs).toBe(300_000)
  expect(gangOf({ [gang]: 'training' })).toBeUndefined()
  expect(gangOf(undefined)).toBeUndefined()
})

test.each<[annotation: string, text: string, fault: string]>([
  [gang, 'Training Run', 'a lowercase RFC 1123 subdomain'],
  [min, '0', 'must be a whole number from 1 to 10000'],
  [min, 'three', 'must be a whole number from 1 to 10000'],
  [timeout, '2', 'must be a duration from 1s to 1h'],
  [timeout, '2h', 'must be a duration from 1s to 1h'],
])('%s: %s is refused', (annotation, text, fault) => {
  expect(gangFault(annotation, { [gang]: 'a', [min]: '1', [annotation]: text })).toContain(fault)
})

test('a gang without a size is none', () => {
  expect(gangFault(gang, { [gang]: 'training' })).toBe('needs gantry.dev/gang-min-members beside it')
  expect(gangFault(gang, { [gang]: 'training', [min]: '2' })).toBeUndefined()
})
