import { describe, expect, test } from 'vitest'
import { configHelp, parseConfig } from './config.ts'
import { selectControllers } from './selection.ts'
import type { ControllerEntry } from './types.ts'

describe('the flags', () => {
  test('have upstream’s defaults', () => {
    expect(parseConfig([])).toMatchObject({
      securePort: 10257,
      leaderElect: true,
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2000,
      leaseName: 'kube-controller-manager',
      leaseNamespace: 'kube-system',
      controllers: ['*'],
      options: { terminatedPodGcThreshold: 12_500, nodeEvictionRate: 0.1, workers: { gc: 20, deployment: 5 } },
    })
  })

  test.each([
    [['--leader-elect=false'], { leaderElect: false }],
    [['--leader-elect', '--v', '4'], { leaderElect: true, verbosity: 4 }],
    [['--controllers=*,-deployment, replicaset'], { controllers: ['*', '-deployment', 'replicaset'] }],
    [['--concurrent-gc-syncs', '3'], { options: { workers: { gc: 3 } } }],
    [['--node-monitor-grace-period=1m30s'], { options: { nodeMonitorGracePeriodMs: 90_000 } }],
    [['--cluster-cidr', '10.1.0.0/16,fd00::/56'], { options: { clusterCidrs: ['10.1.0.0/16', 'fd00::/56'] } }],
    [['--node-cidr-mask-size', '26'], { options: { nodeCidrMaskSizeIpv4: 26, nodeCidrMaskSizeIpv6: 26 } }],
  ])('%j', (args, wanted) => {
    expect(parseConfig(args)).toMatchObject(wanted)
  })

  test.each([
    [['--secure-port', 'x'], '--secure-port: "x" is not a whole number'],
    [['--node-monitor-period', '5'], '--node-monitor-period: "5" is not a duration such as'],
    [['--leader-elect=perhaps'], '--leader-elect: say true or false'],
    [['--unknown'], "Unknown option '--unknown'"],
  ])('%j is refused', (args, message) => {
    expect(() => parseConfig(args)).toThrow(message)
  })

  test('are all explained', () => {
    expect(configHelp()).toMatch(/--concurrent-deployment-syncs +deployment objects worked on at once \(default 5\)/)
  })
})

describe('--controllers', () => {
  const make = () => []
  const entries: ControllerEntry[] = [
    { name: 'deployment-controller', alias: 'deployment', make },
    { name: 'job-controller', alias: 'job', make },
    { name: 'bootstrap-signer-controller', offByDefault: true, make },
  ]
  test.each([
    ['*', ['deployment-controller', 'job-controller']],
    ['*,bootstrap-signer-controller', ['deployment-controller', 'job-controller', 'bootstrap-signer-controller']],
    ['*,-job', ['deployment-controller']],
    ['-job-controller,*', ['deployment-controller']],
    ['deployment', ['deployment-controller']],
    ['-job', []],
  ])('%s', (words, names) => {
    expect(selectControllers(entries, words.split(',')).map(({ name }) => name)).toEqual(names)
  })

  test('an unknown name is refused, and the known are told', () => {
    expect(() => selectControllers(entries, ['jobs'])).toThrow(
      'there is no controller "jobs"; there are deployment-controller, job-controller',
    )
  })
})
