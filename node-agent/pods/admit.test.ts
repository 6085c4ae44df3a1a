import { expect, it } from 'vitest'
import type { Node, PodSpec } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { boundPod, container } from '../testing/builders.ts'
import { admitPod } from './admit.ts'
import { podLimits, podRequests } from './resources.ts'

const node: Live<Node> = {
  metadata: { name: 'n1', labels: { disk: 'ssd' } },
  spec: { taints: [{ key: 'gone', effect: 'NoExecute' }] },
  status: { allocatable: { cpu: '2', memory: '1Gi', pods: '2' } },
}
const tolerations = [{ operator: 'Exists' }]
const wanting = (cpu: string, more: Partial<PodSpec> = {}) =>
  boundPod({ spec: { tolerations, containers: [container('main', { resources: { requests: { cpu } } })], ...more } })
const port = container('main', { ports: [{ containerPort: 80, hostPort: 8080 }] })

it.each<[string, PodSpec['containers'] | Partial<PodSpec>, string | undefined]>([
  ['fits', {}, undefined],
  ['asks for too much', { containers: wanting('1500m').spec.containers }, 'OutOfcpu'],
  ['wants another disk', { nodeSelector: { disk: 'hdd' } }, 'NodeAffinity'],
  ['is meant for another node', { nodeName: 'n2' }, 'NodeName'],
  ['wants a port that is taken', { containers: [port] }, 'NodePorts'],
  ['cannot bear the taint', { tolerations: [] }, 'TaintToleration'],
  ['is for another system', { os: { name: 'windows' } }, 'PodOSNotSupported'],
])('a pod that %s', (_, spec, reason) => {
  const others = [wanting('1'), boundPod({ name: 'other', spec: { containers: [port] } })].slice(0, 1)
  const taken = boundPod({ name: 'other', spec: { containers: [port, ...wanting('1').spec.containers] } })
  expect(
    admitPod(boundPod({ spec: { tolerations, ...spec } }), reason === 'NodePorts' ? [taken] : others, node)?.reason,
  ).toBe(reason)
})

it('tells what was asked for, used and there', () => {
  expect(admitPod(wanting('1500m'), [wanting('1')], node)?.message).toBe(
    "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
  )
  expect(admitPod(wanting('0'), [wanting('0'), wanting('0')], node)?.reason).toBe('OutOfpods')
})

it('counts the dearest moment of a pod: initialisation, or all that runs together', () => {
  const asking = (name: string, cpu: string, restartPolicy?: string) =>
    container(name, { resources: { requests: { cpu }, limits: { cpu } }, ...(restartPolicy ? { restartPolicy } : {}) })
  const spec = (init: string) => ({
    initContainers: [asking('side', '100m', 'Always'), asking('init', init)],
    containers: [asking('a', '200m'), asking('b', '300m')],
  })
  expect(podRequests(spec('100m')).get('cpu')).toBe(600)
  expect(podRequests(spec('2')).get('cpu')).toBe(2100)
  expect(podLimits(spec('100m')).get('cpu')).toBe(600)
  expect(podLimits({ containers: [asking('a', '1'), container('free')] }).get('cpu')).toBeUndefined()
})
