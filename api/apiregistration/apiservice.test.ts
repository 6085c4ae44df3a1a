import { expect, it } from 'vitest'
import { cells, defaulted, faults, statusFaults, testContext } from '../machinery/kind-testing.ts'
import { apiServices as kind } from './index.ts'

const service = (spec: object = {}, more: object = {}) => ({
  metadata: { name: 'v1.example.com' },
  spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 100, versionPriority: 10, ...spec },
  ...more,
})
const remote = { service: { name: 's', namespace: 'n' } }

it.each([
  ['a local one', service(), []],
  ['a remote one', service(remote), []],
  [
    'one of another name',
    service({ version: 'v2' }),
    ['metadata.name: Invalid value: "v1.example.com": must be `spec.version+"."+spec.group`: "v2.example.com"'],
  ],
  [
    'without priority',
    service({ groupPriorityMinimum: 0, versionPriority: 1001 }),
    [
      'spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000',
      'spec.versionPriority: Invalid value: 1001: must be positive and less than 1000',
    ],
  ],
  [
    'a local one with a bundle',
    service({ caBundle: 'YWJj' }),
    ['spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle'],
  ],
  [
    'a local one that trusts everybody',
    service({ insecureSkipTLSVerify: true }),
    ['spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify'],
  ],
  [
    'a remote one that trusts everybody and somebody',
    service({ ...remote, insecureSkipTLSVerify: true, caBundle: 'YWJj' }),
    ['spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present'],
  ],
  [
    'a remote one without address',
    service({ service: {} }),
    ['spec.service.namespace: Required value', 'spec.service.name: Required value'],
  ],
])('%s', (_, object, expected) => {
  expect(faults(kind, object)).toEqual(expected)
})

it('a local one is available from the first moment', () => {
  const local = defaulted(kind, service())
  kind.strategy.prepareForCreate?.(local, testContext)
  expect(cells(kind, local)).toMatchObject({ Service: 'Local', Available: 'True' })
  expect(local.status).toMatchObject({ conditions: [{ reason: 'Local', lastTransitionTime: '2026-01-02T03:04:05Z' }] })
})

it('a remote one shows why it is not', () => {
  const status = { conditions: [{ type: 'Available', status: 'False', reason: 'MissingEndpoints' }] }
  expect(cells(kind, service(remote, { status }))).toMatchObject({
    Service: 'n/s',
    Available: 'False (MissingEndpoints)',
  })
  expect(cells(kind, service(remote))).toMatchObject({ Available: 'Unknown' })
})

it('conditions are true, false or unknown', () => {
  expect(
    statusFaults(kind, service({}, { status: { conditions: [{ type: 'Available', status: 'Maybe' }] } }), service()),
  ).toEqual(['status.conditions[0].status: Unsupported value: "Maybe": supported values: "True", "False", "Unknown"'])
})
