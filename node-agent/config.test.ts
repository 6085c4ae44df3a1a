import { expect, it } from 'vitest'
import { nodeAgentHelp, parseNodeAgentConfig } from './config.ts'

it('reads the flags of upstream’s kubelet', () => {
  const flags = [
    '--kubeconfig=/k',
    '--hostname-override=Node-1',
    '--root-dir=/data',
    '--node-labels=a=b,c=',
    '--register-with-taints=key=value:NoSchedule,only:NoExecute',
    '--cluster-dns=10.96.0.10,10.96.0.11',
    '--max-pods=20',
    '--eviction-hard=memory.available<1Gi',
    '--eviction-pressure-transition-period=30s',
    '--image-gc-high-threshold=70',
    '--image-gc-low-threshold=60',
    '-v=4',
  ]
  expect(parseNodeAgentConfig(flags)).toMatchObject({
    kubeconfig: '/k',
    nodeName: 'node-1',
    rootDir: '/data',
    cniConfDir: '/data/net.d',
    labels: { a: 'b', c: '' },
    taints: [
      { key: 'key', value: 'value', effect: 'NoSchedule' },
      { key: 'only', effect: 'NoExecute' },
    ],
    clusterDns: ['10.96.0.10', '10.96.0.11'],
    maxPods: 20,
    evictionThresholds: [{ signal: 'memory.available', amount: 2 ** 30 }],
    pressureHoldMs: 30_000,
    imageGcHighPercent: 70,
    imageGcLowPercent: 60,
    runtime: 'containerd',
    verbosity: 4,
  })
})

it.each([
  ['--runtime=docker'],
  ['--max-pods=many'],
  ['--register-with-taints=x'],
  ['--proxy=perhaps'],
  ['--eviction-hard=disk<1'],
  ['--eviction-pressure-transition-period=soon'],
  ['--image-gc-high-threshold=70'],
  ['--image-gc-low-threshold=101'],
  ['--nonsense'],
])('refuses %s', (flag) => {
  expect(() => parseNodeAgentConfig([flag])).toThrow(/--/)
})

it('has a help text with every flag', () => {
  expect(parseNodeAgentConfig(['--help'])).toBeUndefined()
  expect(nodeAgentHelp()).toContain('--container-runtime-endpoint')
})
