import { describe, expect, test } from 'vitest'
import { channel, closing, exitCodeOf, frame } from './channels.ts'

describe('messages', () => {
  test('begin with the number of their channel', () => {
    expect([...frame(channel.stdin, 'ab')]).toEqual([0, 97, 98])
    expect([...frame(channel.resize, new Uint8Array([1]))]).toEqual([4, 1])
    expect([...closing(channel.stdin)]).toEqual([255, 0])
  })
})

describe('the end of a command', () => {
  const failure = (reason: string, more: object = {}) => JSON.stringify({ status: 'Failure', reason, ...more })

  test('is its exit code', () => {
    expect(exitCodeOf('{"status":"Success"}')).toBe(0)
    const causes = [{ reason: 'ExitCode', message: '42' }]
    expect(exitCodeOf(failure('NonZeroExitCode', { details: { causes } }))).toBe(42)
  })

  test('is an error where there was no command', () => {
    expect(() => exitCodeOf(failure('InternalError', { message: 'no such file' }))).toThrow('no such file')
    expect(() => exitCodeOf(failure('NonZeroExitCode', { message: 'odd' }))).toThrow('odd')
  })
})
