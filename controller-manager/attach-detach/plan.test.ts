import { describe, expect, test } from 'vitest'
import { volume } from '../testing/volumes.ts'
import { attachmentName, type NodeState, planAttach } from './plan.ts'

const at = (node: string, more: { deletionTimestamp?: string } = {}) => ({
  metadata: { name: `to-${node}`, ...more },
  spec: { attacher: 'd', nodeName: node, source: { persistentVolumeName: 'disk' } },
})
const holding: NodeState = { isHolding: true, isHealthy: true, isOutOfService: false }
const minute = 60_000

interface Case {
  wanted?: Record<string, string[]>
  attachments?: ReturnType<typeof at>[]
  node?: Partial<NodeState> | 'gone'
  unwantedForMs?: number
  modes?: string[]
}
/** What is done, in one line. */
function steps({ wanted = {}, attachments = [], node = {}, unwantedForMs = 0, modes }: Case): string {
  const plan = planAttach(volume(modes ? { modes } : {}), {
    wanted: new Map(Object.entries(wanted)),
    attachments,
    node: () => (node === 'gone' ? undefined : { ...holding, isHolding: false, ...node }),
    unwantedSince: () => 10 * minute - unwantedForMs,
    nowMs: 10 * minute,
  })
  return plan
    .map((step) => {
      if (step.do === 'wait') return `wait ${step.ms / minute} min`
      if (step.do === 'refuse') return `refuse ${step.node} (${step.usedBy.join()})`
      return `${step.do} ${step.do === 'attach' ? step.node : step.attachment}`
    })
    .join(', ')
}

describe('a volume', () => {
  test.each<[string, Case, string]>([
    ['is attached where its pod is', { wanted: { a: ['p'] } }, 'attach a'],
    ['stays there', { wanted: { a: ['p'] }, attachments: [at('a')] }, ''],
    ['is detached where no pod is', { attachments: [at('a')] }, 'detach to-a'],
    ['is not detached twice', { attachments: [at('a', { deletionTimestamp: 'now' })] }, ''],
    ['is waited for while its node holds it', { attachments: [at('a')], node: { isHolding: true } }, 'wait 6 min'],
    [
      'is taken from a node that has been silent for six minutes',
      { attachments: [at('a')], node: { isHolding: true, isHealthy: false }, unwantedForMs: 6 * minute },
      'detach to-a',
    ],
    [
      'is not taken from it before',
      { attachments: [at('a')], node: { isHolding: true, isHealthy: false }, unwantedForMs: 4 * minute },
      'wait 2 min',
    ],
    [
      'is not taken from a node that is well, however long it takes',
      { attachments: [at('a')], node: { isHolding: true }, unwantedForMs: 9 * minute },
      'wait 6 min',
    ],
    [
      'is taken at once from a node that is switched off',
      { attachments: [at('a')], node: { isHolding: true, isHealthy: false, isOutOfService: true } },
      'detach to-a',
    ],
    ['is taken at once from a node that is gone', { attachments: [at('a')], node: 'gone' }, 'detach to-a'],
    ['for one writer is on one node only', { wanted: { a: ['p'], b: ['q'] }, attachments: [at('a')] }, 'refuse b (p)'],
    ['for one writer is attached to one of two', { wanted: { a: ['p'], b: ['q'] } }, 'attach a, refuse b ()'],
    [
      'for one writer does not move before it is detached',
      { wanted: { b: ['q'] }, attachments: [at('a', { deletionTimestamp: 'now' })] },
      'refuse b ()',
    ],
    [
      'for many goes to many',
      { wanted: { a: ['p'], b: ['q'] }, attachments: [at('a')], modes: ['ReadWriteMany'] },
      'attach b',
    ],
    [
      'does not come back before it has left',
      { wanted: { a: ['p'] }, attachments: [at('a', { deletionTimestamp: 'now' })] },
      '',
    ],
  ])('%s', (_what, facts, expected) => {
    expect(steps(facts)).toBe(expected)
  })
})

test('an attachment has the name that agents look for', () => {
  expect(attachmentName('d', 'h', 'n')).toBe('csi-9072ed11cc1acb5fa433a877ff339b6311d013f33bddd1d0092711a8ace5b16d')
})
