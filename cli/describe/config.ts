import type { ConfigMap, Secret } from '../../api/generated/types.ts'
import { describes } from './describer.ts'
import { field, identity, sortedEntries } from './lines.ts'

/** A config map, with all that is in it. */
export const configMap = describes<ConfigMap>((object) => [
  ...identity(object),
  '',
  'Data',
  '====',
  ...sortedEntries(object.data).flatMap(([key, value]) => [`${key}:`, '----', value, '']),
  '',
  'BinaryData',
  '====',
  ...sortedEntries(object.binaryData).map(([key, value]) => `${key}: ${byteLength(value)} bytes`),
  '',
])

/** A secret, with the size of what is in it. Only the token of a service account is shown, as it was made to be. */
export const secret = describes<Secret>(
  (object) => [
    ...identity(object),
    '',
    field('Type', object.type),
    '',
    'Data',
    '====',
    ...sortedEntries(object.data).map(([key, value]) =>
      key === 'token' && object.type === 'kubernetes.io/service-account-token'
        ? field(key, Buffer.from(value, 'base64').toString())
        : field(key, `${byteLength(value)} bytes`),
    ),
  ],
  { events: false },
)

const byteLength = (base64: string): number => Buffer.from(base64, 'base64').length
