import { describe, expect, test } from 'vitest'
import { claim, volume } from '../testing/volumes.ts'
import { planVolume, unboundVolume } from './volume.ts'

const bound = { claim: 'data', claimUid: 'data' }
const provisioned = { 'pv.kubernetes.io/provisioned-by': 'p.example' }
/** What is decided, in one line. */
function told(of: ReturnType<typeof volume>, its?: ReturnType<typeof claim>): string {
  const plan = planVolume(of, its)
  if (plan.do === 'phase') return plan.notice ? `${plan.phase} ${plan.notice.reason}` : plan.phase
  return plan.do === 'tell' ? plan.claim.message : plan.do
}

describe('a volume', () => {
  test.each<[string, Parameters<typeof volume>[0], ReturnType<typeof claim> | undefined, string]>([
    ['without a claim is available', { phase: 'Pending' }, undefined, 'Available'],
    ['kept for a claim by name is available', { claim: 'data' }, undefined, 'Available'],
    ['whose claim names it is bound', bound, claim({ volume: 'disk' }), 'Bound'],
    ['whose claim does not name it yet leaves that to the claim', bound, claim(), 'wake-claim'],
    [
      'of the other mode than its claim will never be bound',
      { ...bound, spec: { volumeMode: 'Block' } },
      claim(),
      'Cannot bind PersistentVolume "disk" to requested PersistentVolumeClaim due to incompatible volumeMode.',
    ],
    ['whose claim is gone is released', { ...bound, phase: 'Bound' }, undefined, 'Released'],
    ['that is retained stays released', { ...bound, phase: 'Released' }, undefined, 'Released'],
    [
      'that a provisioner deletes stays released',
      { ...bound, phase: 'Released', policy: 'Delete', annotations: provisioned },
      undefined,
      'Released',
    ],
    [
      'of a CSI driver is left to whoever has made it',
      { ...bound, phase: 'Released', policy: 'Delete', spec: { csi: { driver: 'd', volumeHandle: 'h' } } },
      undefined,
      'Released',
    ],
    [
      'that nobody deletes has failed',
      { ...bound, phase: 'Released', policy: 'Delete' },
      undefined,
      'Failed VolumeFailedDelete',
    ],
    ['is never recycled', { ...bound, phase: 'Released', policy: 'Recycle' }, undefined, 'Failed VolumeFailedRecycle'],
    ['that has failed stays so', { ...bound, phase: 'Failed' }, undefined, 'Failed'],
    ['whose claim took another is freed', bound, claim({ volume: 'other' }), 'unbind'],
    [
      'made for a claim that took another is released',
      { ...bound, policy: 'Delete', annotations: provisioned },
      claim({ volume: 'other' }),
      'Released',
    ],
  ])('%s', (_what, facts, its, expected) => {
    expect(told(volume(facts), its)).toBe(expected)
  })

  test('freed is kept by name for the claim that somebody chose for it, and for none otherwise', () => {
    expect(unboundVolume(volume(bound)).spec?.claimRef).toEqual({ namespace: 'default', name: 'data' })
    const freed = unboundVolume(volume({ ...bound, annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } }))
    expect(freed.spec?.claimRef).toBeUndefined()
    expect(freed.metadata.annotations).toBeUndefined()
  })
})
