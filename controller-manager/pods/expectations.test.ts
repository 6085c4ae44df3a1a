import { beforeEach, describe, expect, test } from 'vitest'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { Expectations } from './expectations.ts'

describe('expectations', () => {
  let clock: FakeClock
  let expectations: Expectations

  beforeEach(() => {
    clock = new FakeClock()
    expectations = new Expectations(clock)
  })

  const create = (...uids: string[]) => {
    const creating = expectations.creating('a')
    for (const uid of uids) creating.created(uid)
    creating.close()
  }

  test('nothing done, nothing awaited', () => {
    expect(expectations.satisfied('a')).toBe(true)
  })

  test('every creation must be seen', () => {
    create('1', '2')
    expectations.creationSeen('a', '1')
    expect(expectations.satisfied('a')).toBe(false)
    expectations.creationSeen('a', '2')
    expect(expectations.satisfied('a')).toBe(true)
  })

  test('what others create does not count', () => {
    create('1')
    expectations.creationSeen('a', 'of somebody else')
    expect(expectations.satisfied('a')).toBe(false)
  })

  test('the cache may be faster than the answer', () => {
    const creating = expectations.creating('a')
    expectations.creationSeen('a', '1')
    creating.created('1')
    creating.close()
    expect(expectations.satisfied('a')).toBe(true)
  })

  test('a pod that was created and deleted before the answer came is not awaited', () => {
    const creating = expectations.creating('a')
    expectations.creationSeen('a', '1')
    expectations.deletionSeen('a', '1')
    creating.created('1')
    creating.close()
    expect(expectations.satisfied('a')).toBe(true)
  })

  test('a pod that is seen only when it is deleted was created, too', () => {
    create('1')
    expectations.deletionSeen('a', '1')
    expect(expectations.satisfied('a')).toBe(true)
  })

  test('every deletion must be seen, and seeing one twice is nothing new', () => {
    expectations.deleting('a', ['1', '2'])
    expectations.deletionSeen('a', '1')
    expectations.deletionSeen('a', '1')
    expect(expectations.satisfied('a')).toBe(false)
    expectations.deletionSeen('a', '2')
    expect(expectations.satisfied('a')).toBe(true)
  })

  test('what is never seen is given up after five minutes', async () => {
    create('1')
    await clock.advance(5 * 60_000)
    expect(expectations.satisfied('a')).toBe(false)
    await clock.advance(1)
    expect(expectations.satisfied('a')).toBe(true)
  })

  test('controllers do not wait for each other', () => {
    create('1')
    expect(expectations.satisfied('b')).toBe(true)
    expectations.creationSeen('b', '1')
    expect(expectations.satisfied('a')).toBe(false)
  })

  test('one that is made anew starts anew', () => {
    create('1')
    expectations.forget('a')
    expect(expectations.satisfied('a')).toBe(true)
  })
})
