import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sameTemplate, templateHash, withHash } from './template-hash.ts'

const template = (image: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image }] },
})

describe('the hash of a template', () => {
  test('never changes: sets of running clusters are named by it', () => {
    expect(templateHash(template('v1'), undefined)).toMatchInlineSnapshot(`"548df6b887"`)
    expect(templateHash(template('v1'), 1)).toMatchInlineSnapshot(`"547cb94fdb"`)
  })

  test('depends on the content, and not on the order of fields or on what is empty', () => {
    const other = {
      spec: { containers: [{ image: 'v1', name: 'c', env: [] }], volumes: [] },
      metadata: { annotations: {}, labels: { app: 'web' } },
    }
    expect(templateHash(other, undefined)).toBe(templateHash(template('v1'), undefined))
    expect(templateHash(template('v2'), undefined)).not.toBe(templateHash(template('v1'), undefined))
  })

  test('is another for each count of collisions', () => {
    const hashes = [undefined, 0, 1, 2].map((count) => templateHash(template('v1'), count))
    expect(new Set(hashes).size).toBe(4)
  })

  test('is a label value that forms no words', () => {
    fc.assert(
      fc.property(fc.string(), (image) => {
        expect(templateHash(template(image), undefined)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/)
      }),
    )
  })
})

describe('two templates are the same', () => {
  test.each([
    ['but for the hash', template('v1'), withHash(template('v1'), 'abc'), true],
    [
      'but for what is empty',
      template('v1'),
      { ...template('v1'), spec: { ...template('v1').spec, volumes: [] } },
      true,
    ],
    ['not with another image', template('v1'), template('v2'), false],
    ['not with another label', template('v1'), { ...template('v1'), metadata: { labels: { app: 'x' } } }, false],
  ])('%s', (_, a, b, same) => {
    expect(sameTemplate(a, b)).toBe(same)
  })
})
