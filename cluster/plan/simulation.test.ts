import { expect, test } from 'vitest'
import type { Node, Pod } from '../../api/generated/types.ts'
import { nodes, pods } from '../../client/resources.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { remedies } from '../../scheduler/decisions/remedies.ts'
import { PodInfo } from '../../scheduler/framework/pod-info.ts'
import { node, pod } from '../../scheduler/testing/builders.ts'
import { Simulation } from './simulation.ts'
import { report } from './why.ts'

async function simulate(all: readonly Live<Node>[], standing: readonly Live<Pod>[] = []): Promise<Simulation> {
  const api = new MemoryApi()
  for (const one of all) await api.create(nodes, one)
  for (const one of standing) await api.create(pods, one)
  return Simulation.of(api)
}

const said = (simulation: Simulation, asked: Live<Pod>): string => {
  const judged = simulation.judge(asked)
  return report(asked, judged, remedies(new PodInfo(asked), judged.verdicts, simulation.cache.columns), 2)
}

test('a pod without a place is told which plugin refuses it on each node, and what the nearest nodes lack', async () => {
  const taints = [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }]
  const simulation = await simulate(
    [
      node({ name: 'full', cpu: '2' }),
      node({ name: 'tainted', cpu: '8', taints }),
      node({ name: 'far', cpu: '1', taints, unschedulable: true }),
    ],
    [pod({ name: 'there', node: 'full', cpu: '1500m' })],
  )
  expect(said(simulation, pod({ name: 'asking', cpu: '1' }))).toBe(`Pod default/asking has no node yet.

NODE      REFUSED BY         WHY
full      NodeResourcesFit   Insufficient cpu
tainted   TaintToleration    node(s) had untolerated taint(s)
and 1 more nodes

It would get a place with one of these:
- 0.5 more cpu on full (0.5 of 2 is free, the pod asks for 1)
- a toleration of the taint dedicated=db:NoSchedule, or the taint taken from tainted
`)
})

test('where every node is refused for several reasons, that is said', async () => {
  const simulation = await simulate([node({ name: 'a', cpu: '1', unschedulable: true })])
  const judged = simulation.judge(pod({ cpu: '2' }))
  expect(remedies(new PodInfo(pod({ cpu: '2' })), judged.verdicts, simulation.cache.columns)).toEqual([
    '1 more cpu on a (1 of 1 is free, the pod asks for 2) (and more: every node is refused for 2 reasons)',
    'kubectl uncordon a (and more: every node is refused for 2 reasons)',
  ])
})

test('a pod on a node is judged as if it were not there yet', async () => {
  const mine = pod({ name: 'mine', node: 'b', cpu: '3' })
  const simulation = await simulate([node({ name: 'a', cpu: '4' }), node({ name: 'b', cpu: '4' })])
  simulation.cache.setPod(new PodInfo(mine))
  const { ranking } = simulation.judge(mine)
  expect(ranking.map(({ total }) => total)).toEqual([ranking[0]?.total, ranking[0]?.total])
  expect(said(simulation, mine)).toMatch(/^Pod default\/mine is on b\. Were it placed now:\n\nNODE +SCORE/)
})

test('what is placed takes its room, and a gated pod is not placed', async () => {
  const simulation = await simulate([node({ name: 'a', cpu: '2' })])
  const gated = pod({ name: 'three', schedulingGates: [{ name: 'example.com/wait' }] })
  expect(simulation.place([pod({ name: 'one', cpu: '2' }), pod({ name: 'two', cpu: '1' }), gated])).toEqual([
    { nodeName: 'a' },
    { why: '0/1 nodes are available: 1 Insufficient cpu.' },
    { why: expect.stringContaining('example.com/wait') },
  ])
  expect(simulation.judge(gated).refused?.plugin).toBe('SchedulingGates')
})

test('of a gang, all are placed or none', async () => {
  const simulation = await simulate([node({ name: 'a', cpu: '2' })])
  const gang = (name: string, minMembers: string) =>
    ['0', '1', '2'].map((i) => {
      const annotations = { 'gantry.dev/gang': name, 'gantry.dev/gang-min-members': minMembers }
      return pod({ name: `${name}-${i}`, cpu: '1', metadata: { annotations } })
    })
  const why = 'gang large: 2 of the 3 pods it needs would find a node'
  expect(simulation.place(gang('large', '3')).slice(0, 2)).toEqual([{ why }, { why }])
  expect(simulation.place(gang('small', '2')).slice(0, 2)).toEqual([{ nodeName: 'a' }, { nodeName: 'a' }])
})
