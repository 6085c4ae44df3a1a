import { expect, test } from 'vitest'
import { negotiate } from './negotiate.ts'

test.each([
  [undefined, 'json', 'object', 'v1'],
  ['*/*', 'json', 'object', 'v1'],
  ['application/*', 'json', 'object', 'v1'],
  ['text/yaml', 'yaml', 'object', 'v1'],
  ['application/vnd.kubernetes.protobuf,application/json', 'json', 'object', 'v1'],
  ['application/json;q=0.1,application/yaml;q=0.9', 'yaml', 'object', 'v1'],
  ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'json', 'Table', 'v1'],
  ['application/json;as=Table;v=v1beta1;g=meta.k8s.io', 'json', 'Table', 'v1beta1'],
  ['application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', 'json', 'PartialObjectMetadata', 'v1'],
  ['application/json;as=Nothing;v=v1;g=meta.k8s.io,application/json', 'json', 'object', 'v1'],
])('%s is answered as %s, %s %s', (accept, format, as, asVersion) => {
  expect(negotiate(accept)).toMatchObject({ format, as, asVersion })
})

test.each(['application/vnd.kubernetes.protobuf', 'text/html', 'application/json;as=Table;v=v9;g=meta.k8s.io', ',;='])(
  '%s cannot be had',
  (accept) => {
    expect(() => negotiate(accept)).toThrow(/only the following media types/)
  },
)

test('a table is not offered where there are no transforms', () => {
  expect(() => negotiate('application/json;as=Table;v=v1;g=meta.k8s.io', false)).toThrow()
})
