import { afterEach, expect, test } from 'vitest'
import type { ClusterRole } from '../../api/generated/types.ts'
import { clusterRoles } from '../../client/resources.ts'
import { type Running, run } from '../testing/run.ts'
import { newClusterRoleAggregationController } from './controller.ts'

let running: Running
afterEach(() => running?.stop())

test('a role gathers the rules of those it selects, and follows them', async () => {
  running = await run(newClusterRoleAggregationController)
  const { api, clock } = running
  const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] })
  const part = (name: string, ...resources: string[]) =>
    api.create<ClusterRole>(clusterRoles, { metadata: { name, labels: { of: 'all' } }, rules: resources.map(rule) })
  await part('b', 'pods', 'nodes')
  // What upstream's servers say of a role that has none.
  await api.create(clusterRoles, { metadata: { name: 'none', labels: { of: 'all' } }, rules: null } as never)
  await api.create<ClusterRole>(clusterRoles, {
    metadata: { name: 'all' },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { of: 'all' } }] },
    rules: [rule('secrets')],
  })
  await clock.advance(100)
  const gathered = () => api.objects<ClusterRole>(clusterRoles).find(({ metadata }) => metadata.name === 'all')?.rules
  expect(gathered()).toEqual([rule('pods'), rule('nodes')])
  await part('a', 'services', 'pods')
  await clock.advance(100)
  expect(gathered()).toEqual([rule('services'), rule('pods'), rule('nodes')])
  await api.delete(clusterRoles, { name: 'b' })
  await clock.advance(100)
  expect(gathered()).toEqual([rule('services'), rule('pods')])
})
