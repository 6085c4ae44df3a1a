import { expect, it } from 'vitest'
import { defaultTokenRequest, validateTokenRequest } from './index.ts'

const request = (expirationSeconds?: number) => ({
  metadata: {},
  spec: { audiences: [], ...(expirationSeconds === undefined ? {} : { expirationSeconds }) },
})

it('a token is good for an hour by default', () => {
  const one = request()
  defaultTokenRequest(one)
  expect(one.spec).toEqual({ audiences: [], expirationSeconds: 3600 })
})

it.each([
  [600, 0],
  [599, 1],
  [2 ** 32, 0],
  [2 ** 32 + 1, 1],
])('a token for %d seconds has %d faults', (seconds, count) => {
  expect(validateTokenRequest(request(seconds))).toHaveLength(count)
})
