import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PolicyRule } from '../../api/generated/types.ts'
import { type Serving, serve } from '../testing/serving.ts'
import { type Access, reconciled } from './reconciliation.ts'

const rule = (verbs: string[], resources = ['pods']): PolicyRule => ({ apiGroups: [''], resources, verbs })
const roleOf = (...rules: PolicyRule[]): Access => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'reader' },
  rules,
})
const subject = (name: string) => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name })
const binding = (role: string, ...names: string[]): Access => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'readers', namespace: 'shop' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
  subjects: names.map(subject),
})

describe('a role', () => {
  test('that allows all of it already is left alone, however its rules are written', () => {
    const { step } = reconciled(roleOf(rule(['*'])), roleOf(rule(['get']), rule(['list'])), {})
    expect(step).toBe('none')
  })

  test('gets what it lacks, and keeps what it allows beside', () => {
    const plan = reconciled(roleOf(rule(['get', 'watch'])), roleOf(rule(['get', 'list'])), {})
    expect([plan.step, plan.object.rules]).toEqual(['update', [rule(['get', 'watch']), rule(['list'])]])
    expect([plan.missingRules, plan.extraRules]).toEqual([[rule(['list'])], []])
  })

  test('loses what it allows beside where that is asked for', () => {
    const plan = reconciled(roleOf(rule(['get', 'watch'])), roleOf(rule(['get'])), { extraPermissions: true })
    expect([plan.object.rules, plan.extraRules]).toEqual([[rule(['get'])], [rule(['watch'])]])
  })

  test('that is gathered from others is so no longer where nobody wants it', () => {
    const gathered = { ...roleOf(), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } }
    expect(reconciled(gathered, roleOf(), {})).toMatchObject({ step: 'update', object: { aggregationRule: undefined } })
    expect(reconciled(gathered, gathered, {}).step).toBe('none')
  })

  test('keeps its own labels, and gets those it lacks', () => {
    const labelled = (labels: Record<string, string>) => ({ ...roleOf(), metadata: { name: 'reader', labels } })
    const plan = reconciled(labelled({ a: 'there' }), labelled({ a: 'wanted', b: 'wanted' }), {})
    expect(plan.object.metadata.labels).toEqual({ a: 'there', b: 'wanted' })
  })
})

describe('a binding', () => {
  test('gets whom it lacks, and loses others where that is asked for', () => {
    const [there, wanted] = [binding('reader', 'jane'), binding('reader', 'joe')]
    expect(reconciled(there, wanted, {}).object.subjects).toEqual([subject('jane'), subject('joe')])
    expect(reconciled(there, wanted, { extraSubjects: true }).object.subjects).toEqual([subject('joe')])
  })

  test('names nobody twice whose group is left out', () => {
    const wanted = { ...binding('reader'), subjects: [{ kind: 'User', name: 'jane' }] }
    expect(reconciled(binding('reader', 'jane'), wanted, {}).step).toBe('none')
  })

  test('to another role is made anew', () => {
    expect(reconciled(binding('reader', 'jane'), binding('writer', 'jane'), {}).step).toBe('recreate')
  })
})

describe('auth reconcile', () => {
  let server: Serving
  beforeEach(async () => {
    server = await serve()
  })
  afterEach(() => server.stop())

  const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings/readers'
  const reconcile = (object: Access, ...more: string[]) =>
    server.gantry(['auth', 'reconcile', '-f', server.file('a.json', JSON.stringify(object)), ...more])

  test('makes what is missing, with its namespace, and brings the rest up to date', async () => {
    expect((await reconcile(binding('reader', 'jane'), '--dry-run=client')).out).toBe(
      'rolebinding.rbac.authorization.k8s.io/readers reconciled (dry run)\n',
    )
    expect(server.objects.size).toBe(0)
    const { out, err } = await reconcile(binding('reader', 'jane'))
    expect([out, err]).toEqual([
      'rolebinding.rbac.authorization.k8s.io/readers reconciled\n',
      expect.stringContaining('\treconciliation required create\n\tmissing subjects added:\n'),
    ])
    expect([...server.objects.keys()]).toEqual(['/api/v1/namespaces/shop', path])
    await reconcile(binding('reader', 'joe'))
    expect(server.objects.get(path)?.subjects).toHaveLength(2)
    await reconcile(binding('writer', 'joe'))
    expect(server.objects.get(path)).toMatchObject({ roleRef: { name: 'writer' }, subjects: [subject('joe')] })
  })

  test('leaves alone what has opted out, and what is no right', async () => {
    const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' }
    const there = binding('reader', 'jane')
    server.objects.set(path, { ...there, metadata: { ...there.metadata, annotations } })
    expect((await reconcile(binding('reader', 'joe'))).err).toContain('but object opted out')
    expect(server.objects.get(path)?.subjects).toEqual([subject('jane')])
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
    expect(await reconcile(map)).toEqual({ code: 0, out: '', err: '' })
  })
})
