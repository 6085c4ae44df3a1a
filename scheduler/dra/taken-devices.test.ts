import { expect, it } from 'vitest'
import { allocated, claim, driver } from '../testing/devices.ts'
import { deviceId, TakenDevices } from './taken-devices.ts'

const first = deviceId(driver, 'a', 'g-0')
const held = (name: string) => claim(name, undefined, { allocation: allocated('g-0') })

it('a device is taken until the claim that has it goes', () => {
  const taken = new TakenDevices()
  taken.set(held('one'))
  expect(taken.has(first)).toBe(true)
  taken.delete(held('one'))
  expect(taken.has(first)).toBe(false)
})

it('a device is taken until the last of the claims that have it goes', () => {
  const taken = new TakenDevices()
  taken.set(held('one'))
  taken.set(held('two'))
  taken.set(claim('one'))
  expect(taken.has(first)).toBe(true)
  taken.set(claim('two'))
  expect(taken.has(first)).toBe(false)
})

it('a promise holds until it shows, is taken back, or its claim goes', () => {
  const taken = new TakenDevices()
  taken.promise('uid-of-one', allocated('g-0'))
  taken.set(claim('one'))
  expect([taken.has(first), taken.isPromised('uid-of-one')]).toEqual([true, true])
  taken.set(held('one'))
  expect([taken.has(first), taken.isPromised('uid-of-one')]).toEqual([true, false])
  taken.set(claim('one'))
  expect(taken.has(first)).toBe(false)
  taken.promise('uid-of-one', allocated('g-0'))
  taken.delete(claim('one'))
  expect([taken.has(first), taken.isPromised('uid-of-one')]).toEqual([false, false])
})

it('an administrator takes nothing away', () => {
  const taken = new TakenDevices()
  const results = [{ request: 'gpu', driver, pool: 'a', device: 'g-0', adminAccess: true }]
  taken.set(claim('one', undefined, { allocation: { devices: { results } } }))
  expect(taken.has(first)).toBe(false)
})
