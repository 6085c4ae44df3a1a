import { expect, test } from 'vitest'
import { configHelp, parseConfig } from './config.ts'

test('without flags everything is as upstream has it', () => {
  expect(parseConfig([])).toMatchObject({
    kubeconfig: '',
    bindAddress: '127.0.0.1',
    securePort: 10259,
    leaderElect: true,
    leaseDurationMs: 15_000,
    renewDeadlineMs: 10_000,
    retryPeriodMs: 2000,
    leaseName: 'kube-scheduler',
    leaseNamespace: 'kube-system',
    maxUnschedulableMs: 300_000,
  })
})

test.each<[string[], object]>([
  [['--leader-elect=false'], { leaderElect: false }],
  [['--leader-elect'], { leaderElect: true }],
  [['--secure-port', '0'], { securePort: 0 }],
  [['--kubeconfig=/etc/k'], { kubeconfig: '/etc/k' }],
  [['--leader-elect-lease-duration=1m30s'], { leaseDurationMs: 90_000 }],
  [['--pod-max-in-unschedulable-pods-duration', '30s'], { maxUnschedulableMs: 30_000 }],
])('%j', (args, expected) => {
  expect(parseConfig(args)).toMatchObject(expected)
})

test.each<[string[], string]>([
  [['--secure-port=http'], '--secure-port: "http" is not a whole number from 0'],
  [['--leader-elect=perhaps'], '--leader-elect: say true or false, not "perhaps"'],
  [['--leader-elect-retry-period=2'], '--leader-elect-retry-period: "2" is not a duration such as 40s or 5m'],
  [['--unknown=1'], 'Unknown option'],
])('%j is refused', (args, message) => {
  expect(() => parseConfig(args)).toThrow(message)
})

test('help tells of every flag and its default', () => {
  expect(configHelp()).toMatch(/--secure-port +port of .*\(default 10259\)/)
})
