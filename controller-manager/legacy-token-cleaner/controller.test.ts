import { afterEach, describe, expect, test } from 'vitest'
import type { ConfigMap, Secret, ServiceAccount } from '../../api/generated/types.ts'
import { configMaps, secrets, serviceAccounts } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { at, t0 } from '../testing/build.ts'
import { type Running, run } from '../testing/run.ts'
import { newLegacyTokenCleaner } from './controller.ts'
import { isTrackedFor, planLegacyToken, secretsOf } from './plan.ts'

const day = 86_400_000
const nowMs = t0 + 100 * day
const annotations = { 'kubernetes.io/service-account.name': 'robot' }
const token = (labels: Record<string, string> = {}, created = 0): Live<Secret> => ({
  metadata: { name: 's', namespace: 'default', creationTimestamp: at(created), labels, annotations },
  type: 'kubernetes.io/service-account-token',
})
const robot: Live<ServiceAccount> = { metadata: { name: 'robot', namespace: 'default' }, secrets: [{ name: 's' }] }

describe('a token', () => {
  const plan = (secret: Live<Secret>, account: Live<ServiceAccount> | undefined = robot, used = false) =>
    planLegacyToken(secret, { accountOf: () => account, isUsedByPods: () => used }, 30 * day, nowMs)
  const lastUsed = (date: string) => ({ 'kubernetes.io/legacy-token-last-used': date })
  const invalid = (date: string) => ({ 'kubernetes.io/legacy-token-invalid-since': date })

  test('that nobody has used for the whole period is marked, and removed after another', () => {
    expect(plan(token())).toBe('mark')
    expect(plan(token(lastUsed('2026-03-01')))).toBe('mark')
    expect(plan(token(invalid('2026-04-01')))).toBe('keep')
    expect(plan(token(invalid('2026-03-01')))).toBe('remove')
  })

  test('that is new, used, mounted or made by people is kept', () => {
    expect(plan(token({}, 90 * 86_400))).toBe('keep')
    expect(plan(token(lastUsed('2026-03-20')))).toBe('keep')
    expect(plan(token(), robot, true)).toBe('keep')
    expect(plan(token(), { ...robot, secrets: [] })).toBe('keep')
    expect(plan(token(), undefined)).toBe('mark')
  })

  test('is not judged before a use would have been seen', () => {
    expect(isTrackedFor('2026-01-01', 30 * day, t0 + 30 * day)).toBe(false)
    expect(isTrackedFor('2026-01-01', 30 * day, t0 + 31 * day)).toBe(true)
    expect(isTrackedFor(undefined, 30 * day, t0 + 31 * day)).toBe(false)
  })
})

test('a pod uses the secrets that it mounts, reads and pulls with', () => {
  const pod = {
    metadata: { name: 'p' },
    spec: {
      containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'a' } }] }],
      initContainers: [{ name: 'i', env: [{ name: 'x', valueFrom: { secretKeyRef: { name: 'b', key: 'k' } } }] }],
      imagePullSecrets: [{ name: 'c' }],
      volumes: [
        { name: 'v', secret: { secretName: 'd' } },
        { name: 'w', projected: { sources: [{ secret: { name: 'e' } }] } },
      ],
    },
  }
  expect(secretsOf(pod).sort()).toEqual(['a', 'b', 'c', 'd', 'e'])
})

let running: Running
afterEach(() => running?.stop())

test('the controller marks and removes, a day apart from the next look', async () => {
  running = await run(newLegacyTokenCleaner, { legacyTokenCleanUpPeriodMs: 2 * day }, async (api) => {
    await api.create<ConfigMap>(configMaps, {
      metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
      data: { since: '2025-12-01' },
    })
    await api.create<ServiceAccount>(serviceAccounts, robot)
    await api.create<Secret>(secrets, { ...token(), metadata: { name: 's', namespace: 'default', annotations } })
  })
  const standing = () => running.api.objects<Secret>(secrets)[0]
  await running.clock.advance(3 * day + 1000)
  expect(standing()?.metadata.labels).toEqual({ 'kubernetes.io/legacy-token-invalid-since': '2026-01-04' })
  await running.clock.advance(3 * day + 1000)
  expect(standing()).toBeUndefined()
})
