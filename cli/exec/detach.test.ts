import { expect, test } from 'vitest'
import { detachAt } from './detach.ts'

const typed = (keys: string, ...chunks: string[]) => {
  const filter = detachAt(keys)
  return chunks.map((chunk) => {
    const { bytes, detached } = filter(Buffer.from(chunk, 'latin1'))
    return `${bytes.toString('latin1')}${detached ? '|' : ''}`
  })
}

test('what is typed passes', () => {
  expect(typed('ctrl-p,ctrl-q', 'ab', 'c')).toEqual(['ab', 'c'])
})

test('the keys end it, also when they come one by one', () => {
  expect(typed('ctrl-p,ctrl-q', 'a\x10\x11b')).toEqual(['a|'])
  expect(typed('ctrl-p,ctrl-q', 'a\x10', '\x11')).toEqual(['a', '|'])
})

test('keys that only begin the sequence are passed on once it is clear', () => {
  expect(typed('ctrl-p,ctrl-q', '\x10', 'x')).toEqual(['', '\x10x'])
  expect(typed('ctrl-p,ctrl-q', '\x10\x10\x11')).toEqual(['\x10|'])
})

test('an unknown key is refused', () => {
  expect(() => detachAt('ctrl-1')).toThrow("Unknown character: 'ctrl-1'")
})
