import { describe, expect, it } from 'vitest'
import type { AnyObject } from '../../api/machinery/object.ts'
import { defineResource } from '../../api/machinery/resource.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { recordUpdate } from './managed-fields.ts'
import { toVersionOf } from './versions.ts'

const struct = (...names: string[]): Schema => ({
  type: 'object',
  properties: new Map(names.map((name) => [name, { type: 'string' }])),
})
const rename =
  (from: string, to: string) =>
  ({ [from]: value, ...rest }: AnyObject): AnyObject =>
    ({ ...rest, ...(value === undefined ? {} : { [to]: value }) }) as AnyObject
const version = (name: string, field: string) => ({
  group: 'test',
  version: name,
  schema: struct(field),
  fromStorage: rename('stored', field),
  toStorage: rename(field, 'stored'),
})
const things = defineResource({
  group: 'test',
  version: 'v2',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
  schema: struct('stored'),
  versions: [version('v1', 'old'), version('v3', 'new')],
})

describe('the versions of a kind', () => {
  const toVersion = toVersionOf(things)

  it.each<[AnyObject, string, object | undefined]>([
    [{ metadata: {}, stored: 'x' }, 'test/v2', { metadata: {}, stored: 'x' }],
    [{ metadata: {}, stored: 'x' }, 'test/v1', { apiVersion: 'test/v1', metadata: {}, old: 'x' }],
    [
      { apiVersion: 'test/v1', metadata: {}, old: 'x' },
      'test/v2',
      { apiVersion: 'test/v2', metadata: {}, stored: 'x' },
    ],
    [{ apiVersion: 'test/v1', metadata: {}, old: 'x' }, 'test/v3', { apiVersion: 'test/v3', metadata: {}, new: 'x' }],
    [{ apiVersion: 'test/v3', metadata: {}, new: 'x' }, 'test/v3', { apiVersion: 'test/v3', metadata: {}, new: 'x' }],
    [{ metadata: {}, stored: 'x' }, 'test/v0', undefined],
  ])('from %j to %s', (object, apiVersion, expected) => {
    expect(toVersion(object, apiVersion)?.object).toEqual(expected)
  })

  it('have owners each in the version they speak, whatever the stored one', () => {
    const write = (old: AnyObject | undefined, stored: string, manager: string, apiVersion: string): AnyObject => {
      const fresh: AnyObject = { metadata: { uid: 'u', ...old?.metadata }, stored }
      recordUpdate({
        old,
        new: fresh,
        schema: things.schema,
        objectVersion: 'test/v2',
        manager,
        apiVersion,
        subresource: '',
        nowMs: 0,
        toVersion,
      })
      return fresh
    }
    const first = write(undefined, '1', 'a', 'test/v1')
    expect(first.metadata.managedFields).toMatchObject([
      { manager: 'a', apiVersion: 'test/v1', fieldsV1: { 'f:old': {} } },
    ])
    const second = write(first, '2', 'b', 'test/v3')
    expect(second.metadata.managedFields).toMatchObject([
      { manager: 'b', apiVersion: 'test/v3', fieldsV1: { 'f:new': {} } },
    ])
    expect(second.metadata.managedFields).toHaveLength(1)
  })
})
