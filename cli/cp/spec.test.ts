import { expect, test } from 'vitest'
import { parseSpec } from './spec.ts'

test('a path of here, of a pod, and of a pod in another namespace', () => {
  expect(parseSpec('./a:b')).toEqual({ type: 'local', path: './a:b' })
  expect(parseSpec('file')).toEqual({ type: 'local', path: 'file' })
  expect(parseSpec('web:/tmp/x')).toMatchObject({ namespace: undefined, pod: 'web', path: '/tmp/x' })
  expect(parseSpec('shop/web:x:y')).toMatchObject({ namespace: 'shop', pod: 'web', path: 'x:y' })
})

test.each(['a/b/c:d', ':x', 'web:'])('%s is refused', (text) => {
  expect(() => parseSpec(text)).toThrow(/file/)
})
