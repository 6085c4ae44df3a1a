import { describe, expect, it } from 'vitest'
import type { RequestContext } from '../machinery/resource.ts'
import { type ServiceAccountObject, serviceAccounts } from './serviceaccount.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const annotation = 'kubernetes.io/enforce-mountable-secrets'

describe('a service account', () => {
  it('keeps only the names of its secrets', () => {
    const made: ServiceAccountObject = {
      metadata: { name: 'a' },
      secrets: [{ name: 's', kind: 'Secret', uid: 'u' }, {}],
    }
    serviceAccounts.strategy.prepareForCreate?.(made, ctx)
    expect(made.secrets).toEqual([{ name: 's' }, {}])
  })

  it('warns of the annotation for mountable secrets when it comes, not when it stays', () => {
    const plain: ServiceAccountObject = { metadata: { name: 'a' } }
    const annotated: ServiceAccountObject = { metadata: { name: 'a', annotations: { [annotation]: 'true' } } }
    const count = (next: ServiceAccountObject, old?: ServiceAccountObject) =>
      serviceAccounts.warnings?.(next, old).length
    expect([count(plain), count(annotated), count(annotated, plain), count(annotated, annotated)]).toEqual([0, 1, 1, 0])
  })
})
