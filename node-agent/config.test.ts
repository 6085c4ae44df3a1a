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
    runtime: 'containerd',
    verbosity: 4,
  })
})

it.each([['--runtime=docker'], ['--max-pods=many'], ['--register-with-taints=x'], ['--proxy=perhaps'], ['--nonsense']])(
  'refuses %s',
  (flag) => {
    expect(() => parseNodeAgentConfig([flag])).toThrow(/--/)
  },
)

it('has a help text with every flag', () => {
  expect(parseNodeAgentConfig(['--help'])).toBeUndefined()
  expect(nodeAgentHelp()).toContain('--container-runtime-endpoint')
})
