import { expect, test } from 'vitest'
import { takeSocketToken } from './socket-protocol.ts'

const bearer = (token: string) => `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`

test.each([
  ['the token is taken out of the protocols', `${bearer('s3cret')}, v5.channel.k8s.io`, 's3cret', 'v5.channel.k8s.io'],
  ['its place does not matter', `a, ${bearer('x.y_z')}, b`, 'x.y_z', 'a, b'],
  ['of two neither is believed, nor passed on', `${bearer('a')}, ${bearer('b')}, c`, undefined, 'c'],
  [
    'other protocols stay as they are',
    'v5.channel.k8s.io,v4.channel.k8s.io',
    undefined,
    'v5.channel.k8s.io,v4.channel.k8s.io',
  ],
])('%s', (_, offered, token, left) => {
  const headers = { 'sec-websocket-protocol': offered }
  expect(takeSocketToken(headers)).toBe(token)
  expect(headers['sec-websocket-protocol']).toBe(left)
})
