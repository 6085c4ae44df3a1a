import { describe, expect, it } from 'vitest'
import type { ConfigMap } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { configMaps } from './configmap.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const map = (content: Partial<ConfigMap>) => ({ ...content, metadata: { name: 'a' } })
const faults = (content: Partial<ConfigMap>, old?: Partial<ConfigMap>) =>
  configMaps.validate?.(map(content), old && map(old), ctx).map(formatFieldError)
const badKey =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
const sealed = 'Forbidden: field is immutable when `immutable` is set'

describe('a config map', () => {
  it.each<[string, Partial<ConfigMap>, string[]]>([
    ['nothing', {}, []],
    ['both kinds of content', { data: { a: '1' }, binaryData: { b: 'AA==' } }, []],
    ['a bad key', { data: { 'a b': '' } }, [`data[a b]: Invalid value: "a b": ${badKey}`]],
    [
      'one key in both',
      { data: { a: '' }, binaryData: { a: '' } },
      ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
    ],
    ['exactly a mebibyte', { data: { a: 'x'.repeat(1_048_576) } }, []],
    ['more', { data: { a: 'é'.repeat(524_288), b: 'x' } }, [': Too long: may not be more than 1048576 bytes']],
  ])('may hold %s, or be told why not', (_, content, expected) => {
    expect(faults(content)).toEqual(expected)
  })

  it.each<[string, Partial<ConfigMap>, string[]]>([
    ['stays as it is', { immutable: true, data: { a: '1' } }, []],
    ['is opened', { data: { a: '1' } }, [`immutable: ${sealed}`]],
    ['changes', { immutable: true, data: { a: '2' } }, [`data: ${sealed}`]],
    ['grows', { immutable: true, data: { a: '1' }, binaryData: { b: '' } }, [`binaryData: ${sealed}`]],
  ])('once sealed, %s', (_, content, expected) => {
    expect(faults(content, { immutable: true, data: { a: '1' } })).toEqual(expected)
  })

  it('shows how much it holds', () => {
    expect(configMaps.columns?.[1]?.value(map({ data: { a: '' }, binaryData: { b: '' } }), 0)).toBe(2)
  })
})
