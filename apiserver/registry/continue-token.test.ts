import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeContinue, encodeContinue } from './continue-token.ts'

describe('continue tokens', () => {
  it('come back as they went out', () => {
    const part = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,20}$/)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 }), part, part, (revision, namespace, name) => {
        const token = { revision, after: `${namespace}/${name}` }
        expect(decodeContinue(encodeContinue(token))).toEqual(token)
      }),
    )
  })

  it('refuse whatever else is sent, with a 400', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodeContinue(text)).toThrowError(expect.objectContaining({ code: 400 }))
      }),
    )
  })

  it.each(['../../secrets/kube-system/x', '/registry', 'a//b', '.', 'default/..'])(
    'refuse a key that climbs: %s',
    (after) => {
      expect(() => decodeContinue(encodeContinue({ revision: 5, after }))).toThrowError(/invalid key/)
    },
  )
})
