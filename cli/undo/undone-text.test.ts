import { expect, test } from 'vitest'
import type { DryRun } from '../dry-run.ts'
import type { ObjectVersion } from '../past/versions.ts'
import { undoneText } from './undone-text.ts'

const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
const to: ObjectVersion = { revision: '3', operation: 'updated', changes: [] }
const undone: ObjectVersion = { ...to, revision: '5', user: 'ann', time: '2026-03-01T12:00:00Z' }
const nowMs = Date.parse('2026-03-01T12:00:07Z')

test.each<[DryRun, string, string, string]>([
  [
    'none',
    'undone: the change by ann, 7s ago is taken back (revision 3)',
    'taken back to revision 3',
    'created again as it was at revision 3: it was deleted by ann, 7s ago',
  ],
  [
    'server',
    'would be undone: the change by ann, 7s ago taken back, and the object as it was at revision 3 (server dry run)',
    'would be taken back to revision 3 (server dry run)',
    'would be created again as it was at revision 3: it was deleted by ann, 7s ago (server dry run)',
  ],
])('with --dry-run=%s it is told what was done, or would be', (dryRun, change, target, deletion) => {
  expect(undoneText({ step: 'update', to, undone, object }, nowMs, dryRun)).toBe(change)
  expect(undoneText({ step: 'update', to, undone: undefined, object }, nowMs, dryRun)).toBe(target)
  expect(undoneText({ step: 'create', to, undone, object }, nowMs, dryRun)).toBe(deletion)
})
