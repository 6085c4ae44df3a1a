import { describe, expect, it } from 'vitest'
import type { Resource } from '../../api/machinery/resource.ts'
import type { AdmissionAttributes } from '../admission/types.ts'
import { MemoryClient } from '../auth/testing/memory-client.ts'
import {
  type Criteria,
  isExempt,
  matchedVersion,
  namespaceFor,
  namespaceMatches,
  namespacesOf,
  objectMatches,
} from './matching.ts'

const { lookup } = new MemoryClient()
/** A kind that is stored in v2 and served in v1 as well. */
const scalers = {
  ...lookup('autoscaling', 'scalers'),
  version: 'v2',
  versions: [{ group: 'autoscaling', version: 'v1' }],
}
const write = (more: Partial<AdmissionAttributes> = {}): AdmissionAttributes => ({
  operation: 'CREATE',
  resource: scalers as unknown as Resource,
  apiVersion: 'autoscaling/v2',
  subresource: '',
  namespace: 'shop',
  name: 'x',
  user: { name: 'jane', groups: [] },
  dryRun: false,
  warn: () => {},
  ...more,
})
const rule = (more: object = {}) => ({
  operations: ['CREATE'],
  apiGroups: ['autoscaling'],
  apiVersions: ['v1', 'v2'],
  resources: ['scalers'],
  ...more,
})

describe('rules', () => {
  const matched = (criteria: Partial<Criteria>, attributes = write()) =>
    matchedVersion({ rules: [rule()], ...criteria }, attributes)?.version

  it.each<[string, object, boolean]>([
    ['all that they are about', {}, true],
    ['any operation', { operations: ['*'] }, true],
    ['another operation', { operations: ['UPDATE', 'DELETE'] }, false],
    ['another group', { apiGroups: [''] }, false],
    ['another resource', { resources: ['pods', '*/scale'] }, false],
    ['its subresources', { resources: ['scalers/status', 'scalers/scale'] }, false],
    ['the resource with its subresources', { resources: ['scalers/*'] }, true],
    ['what lies in namespaces', { scope: 'Namespaced' }, true],
    ['what lies in none', { scope: 'Cluster' }, false],
    ['this object', { resourceNames: ['a', 'x'] }, true],
    ['other objects', { resourceNames: ['a'] }, false],
  ])('of %s', (_, more, expected) => {
    expect(matched({ rules: [rule(more)] }) !== undefined).toBe(expected)
  })

  it('of a subresource mean that alone', () => {
    const scale = write({ subresource: 'scale' })
    expect(matched({ rules: [rule({ resources: ['scalers/scale'] })] }, scale)).toBe('v2')
    expect(matched({ rules: [rule({ resources: ['*/scale'] })] }, scale)).toBe('v2')
    expect(matched({ rules: [rule()] }, scale)).toBeUndefined()
  })

  it('find the version that they name, and first the one that was asked', () => {
    expect(matched({}, write({ apiVersion: 'autoscaling/v1' }))).toBe('v1')
    expect(matched({ rules: [rule({ apiVersions: ['v1'] })] })).toBe('v1')
    expect(matched({ rules: [rule({ apiVersions: ['v1'] })], matchPolicy: 'Exact' })).toBeUndefined()
    expect(matched({ matchPolicy: 'Exact' })).toBe('v2')
    expect(matched({ rules: [rule({ apiVersions: ['v3'] })] })).toBeUndefined()
  })

  it('may leave something out', () => {
    expect(matched({ excluded: [rule({ resourceNames: ['x'] })] })).toBeUndefined()
    expect(matched({ excluded: [rule({ apiVersions: ['v1'] })] })).toBeUndefined()
    expect(matched({ excluded: [rule({ resourceNames: ['y'] })] })).toBe('v2')
  })
})

describe('labels', () => {
  const labelled = (a?: string) => ({ metadata: { name: 'x', ...(a ? { labels: { a } } : {}) } }) as never
  it('count before and after the write', () => {
    const selector = { matchLabels: { a: 'b' } }
    expect(objectMatches(selector, write({ object: labelled('b') }))).toBe(true)
    expect(objectMatches(selector, write({ object: labelled(), old: labelled('b') }))).toBe(true)
    expect(objectMatches(selector, write({ object: labelled(), old: labelled('c') }))).toBe(false)
    expect(objectMatches({}, write())).toBe(true)
    expect(objectMatches(undefined, write())).toBe(true)
    expect(objectMatches({ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, write({ old: labelled('b') }))).toBe(
      true,
    )
  })
})

describe('the namespace of a write', () => {
  const client = new MemoryClient().put('', 'namespaces', { metadata: { name: 'shop', labels: { tier: 'front' } } })
  const namespaces = namespacesOf(client, client.lookup)
  const ofNamespace = (operation: AdmissionAttributes['operation'], object?: object) =>
    write({
      resource: client.lookup('', 'namespaces'),
      operation,
      namespace: 'shop',
      name: 'shop',
      ...(object ? { object } : {}),
    } as never)
  const front = { matchLabels: { tier: 'front' } }

  it('has labels', async () => {
    expect(await namespaceMatches(front, write(), namespaces)).toBe(true)
    expect(await namespaceMatches({ matchLabels: { tier: 'back' } }, write(), namespaces)).toBe(false)
  })

  it('is asked of the store before it is said not to be there', async () => {
    client.putAhead('', 'namespaces', { metadata: { name: 'fresh', labels: { tier: 'front' } } })
    expect(await namespaceMatches(front, write({ namespace: 'fresh' }), namespaces)).toBe(true)
    await expect(namespaceMatches(front, write({ namespace: 'none' }), namespaces)).rejects.toMatchObject({ code: 404 })
    expect(await namespaceMatches({}, write({ namespace: 'none' }), namespaces)).toBe(true)
  })

  it('is itself where it is written, as it will be', async () => {
    const next = { metadata: { name: 'shop', labels: { tier: 'back' } } }
    expect(await namespaceFor(ofNamespace('UPDATE', next), namespaces)).toBe(next)
    expect((await namespaceFor(ofNamespace('DELETE'), namespaces))?.metadata.labels).toEqual({ tier: 'front' })
  })

  it('is none for what lies in none, which always matches', async () => {
    const node = write({ resource: client.lookup('', 'nodes'), namespace: '' })
    expect(await namespaceFor(node, namespaces)).toBeUndefined()
    expect(await namespaceMatches(front, node, namespaces)).toBe(true)
  })
})

it('what admission itself is configured by is exempt', () => {
  const group = 'admissionregistration.k8s.io'
  expect(isExempt({ group, plural: 'mutatingwebhookconfigurations' })).toBe(true)
  expect(isExempt({ group, plural: 'validatingadmissionpolicybindings' })).toBe(true)
  expect(isExempt({ group: 'example.com', plural: 'mutatingwebhookconfigurations' })).toBe(false)
  expect(isExempt({ group, plural: 'others' })).toBe(false)
})
