import { describe, expect, it } from 'vitest'
import type { Pod, ResourceClaimStatus } from '../../api/generated/types.ts'
import { claimFinalizer, podClaimAnnotation } from '../../api/resource/pod-claims.ts'
import type { Live } from '../../client/types.ts'
import { pod } from '../testing/build.ts'
import { type Claim, planClaim } from './plan-claim.ts'
import { claimFromTemplate, namePrefix, planPod } from './plan-pod.ts'

const allocation = { devices: { results: [{ request: 'gpu', driver: 'd', pool: 'p', device: 'g' }] } }
const usedBy = (...names: string[]) => ({ reservedFor: names.map((name) => ({ resource: 'pods', name, uid: name })) })
const claim = (status: ResourceClaimStatus = {}, more: Partial<Claim['metadata']> = {}): Claim => ({
  metadata: { name: 'c', namespace: 'default', finalizers: [claimFinalizer], ...more },
  spec: {},
  status,
})
const ownedBy = (uid: string) => ({
  ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web', uid, controller: true }],
})
const nothing = { release: false, delete: false }

describe('a claim', () => {
  it.each<[string, Claim, string[], Live<Pod> | undefined, ReturnType<typeof planClaim>]>([
    ['stays with its users', claim({ allocation, ...usedBy('a') }), [], undefined, nothing],
    [
      'is taken from users that are gone',
      claim({ allocation, ...usedBy('a', 'b') }),
      ['a'],
      undefined,
      { ...nothing, status: { allocation, ...usedBy('b') } },
    ],
    [
      'gives its devices back with the last of them',
      claim({ allocation, ...usedBy('a') }),
      ['a'],
      undefined,
      { status: {}, release: true, delete: false },
    ],
    ['keeps devices that nobody has used yet', claim({ allocation }), [], undefined, nothing],
    [
      'gives them back when it is to go',
      claim({ allocation }, { deletionTimestamp: 't' }),
      [],
      undefined,
      { status: {}, release: true, delete: false },
    ],
    ['may go without devices', claim({}, { deletionTimestamp: 't' }), [], undefined, { release: true, delete: false }],
    [
      'does not go while it is used',
      claim({ allocation, ...usedBy('a') }, { deletionTimestamp: 't' }),
      [],
      undefined,
      nothing,
    ],
    [
      'keeps users that are no pods',
      claim({ allocation, reservedFor: [{ apiGroup: 'x', resource: 'pods', name: 'a', uid: 'a' }] }),
      ['a'],
      undefined,
      nothing,
    ],
    [
      'that was made for a pod goes when that has ended',
      claim({ allocation, ...usedBy('web') }, ownedBy('web')),
      ['web'],
      pod({ name: 'web', phase: 'Succeeded' }),
      { status: {}, release: true, delete: true },
    ],
    [
      'goes when another pod has that name',
      claim({}, ownedBy('old')),
      [],
      pod({ name: 'web' }),
      { release: false, delete: true },
    ],
    ['stays while its pod runs', claim({}, ownedBy('web')), [], pod({ name: 'web' }), nothing],
    ['stays while nothing is known of its pod', claim({}, ownedBy('web')), [], undefined, nothing],
    [
      'goes with a pod that is deleted before it has a node',
      claim({}, ownedBy('web')),
      [],
      pod({ name: 'web', deleted: 1 }),
      { release: false, delete: true },
    ],
    [
      'stays while its pod ends on its node',
      claim({}, ownedBy('web')),
      [],
      pod({ name: 'web', node: 'n', deleted: 1 }),
      nothing,
    ],
    [
      'stays while others use it, whatever has become of its pod',
      claim({ allocation, ...usedBy('web', 'b') }, ownedBy('web')),
      ['web'],
      pod({ name: 'web', phase: 'Succeeded' }),
      { ...nothing, status: { allocation, ...usedBy('b') } },
    ],
    [
      'keeps users that are of another resource',
      claim({ allocation, reservedFor: [{ resource: 'services', name: 'a', uid: 'a' }] }),
      ['a'],
      undefined,
      nothing,
    ],
    [
      'that nothing guards is left as it is when it is to go',
      claim({ allocation }, { deletionTimestamp: 't', finalizers: [] }),
      [],
      undefined,
      nothing,
    ],
    [
      'keeps what drivers said of its devices when one of its users is gone',
      claim({ allocation, devices: [{ driver: 'd', pool: 'p', device: 'g' }], ...usedBy('a', 'b') }),
      ['a'],
      undefined,
      {
        ...nothing,
        status: { allocation, devices: [{ driver: 'd', pool: 'p', device: 'g' }], ...usedBy('b') },
      },
    ],
  ])('%s', (_what, its, gone, owner, expected) => {
    expect(planClaim(its, new Set(gone), owner)).toEqual(expected)
  })
})

describe('a pod', () => {
  const entry = { name: 'gpu', resourceClaimTemplateName: 't' }
  const using = (more: Partial<Pod['spec'] & object> = {}, status: Pod['status'] = {}, deleted?: number): Live<Pod> => {
    const its = pod({ name: 'web', ...(deleted === undefined ? {} : { deleted }) })
    return { ...its, spec: { containers: [], resourceClaims: [entry], ...more }, status }
  }
  const knows = (resourceClaimName: string) => ({ resourceClaimStatuses: [{ name: 'gpu', resourceClaimName }] })
  const own = claim({ allocation }, ownedBy('web'))
  const bare = claim({}, ownedBy('web'))
  const around = (by: Record<string, Claim>, madeFor?: Claim) => ({
    claim: (name: string) => by[name],
    madeFor: () => madeFor,
  })
  const plan = { make: [], tell: [], reserve: [] }
  const making = { ...plan, make: [{ entry: 'gpu', template: 't' }] }

  it.each<[string, Live<Pod>, Parameters<typeof planPod>[1], ReturnType<typeof planPod>]>([
    ['gets a claim from a template', using(), around({}), making],
    [
      'is told of one that was made',
      using(),
      around({}, own),
      { ...plan, tell: [{ name: 'gpu', resourceClaimName: 'c' }] },
    ],
    ['that has it needs nothing', using({}, knows('c')), around({ c: own }), plan],
    ['gets another when it was deleted', using({}, knows('c')), around({}), making],
    ['gets another than that of somebody else', using({}, knows('c')), around({ c: claim({}, ownedBy('x')) }), making],
    ['that goes gets nothing', using({}, {}, 1), around({}), plan],
    ['needs no claim that is not needed', using({}, { resourceClaimStatuses: [{ name: 'gpu' }] }), around({}), plan],
    [
      'waits for claims that people make',
      using({ resourceClaims: [{ name: 'gpu', resourceClaimName: 'c' }] }),
      around({}),
      plan,
    ],
    [
      'on a node uses the claims that have devices',
      using({ nodeName: 'n' }, knows('c')),
      around({ c: own }),
      { ...plan, reserve: [own] },
    ],
    [
      'on a node uses the claims that people made',
      using({ nodeName: 'n', resourceClaims: [{ name: 'gpu', resourceClaimName: 'c' }] }),
      around({ c: claim({ allocation }) }),
      { ...plan, reserve: [claim({ allocation })] },
    ],
    ['on a node does not use a claim without devices', using({ nodeName: 'n' }, knows('c')), around({ c: bare }), plan],
  ])('%s', (_what, its, world, expected) => {
    expect(planPod(its, world)).toEqual(expected)
  })

  it('has claims that bear its name, cut where it is long', () => {
    const template = {
      metadata: { name: 't' },
      spec: { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } }, spec: { devices: { requests: [] } } },
    }
    expect(claimFromTemplate(using(), 'gpu', template)).toEqual({
      metadata: {
        generateName: 'web-gpu-',
        namespace: 'default',
        labels: { a: 'b' },
        annotations: { c: 'd', [podClaimAnnotation]: 'gpu' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'web', controller: true }],
      },
      spec: { devices: { requests: [] } },
    })
    expect(namePrefix('p'.repeat(60), 'c'.repeat(20))).toBe(`${'p'.repeat(41)}-${'c'.repeat(13)}`)
    expect(namePrefix('p'.repeat(50), 'c'.repeat(5))).toBe(`${'p'.repeat(50)}-${'c'.repeat(5)}-`)
  })
})
