import { expect, test } from 'vitest'
import { StatusError } from '../../api/machinery/errors.ts'
import { explain } from '../errors.ts'

const said = (message: string) =>
  explain(new StatusError(403, 'Forbidden', message))
    .text.split('\n')
    .slice(1)

test('whoever lacks a right is told by what it is given', () => {
  expect(
    said(
      'deployments.apps "web" is forbidden: User "ann o\'hara" cannot patch resource "deployments/scale" in API group "apps" in the namespace "shop"',
    ),
  ).toEqual([
    'Whoever administers the cluster can allow it:',
    '  gantry create role ann-o-hara-patch-deployments-scale --verb=patch --resource=deployments.apps/scale -n shop',
    "  gantry create rolebinding ann-o-hara-patch-deployments-scale --role=ann-o-hara-patch-deployments-scale --user='ann o'\\''hara' -n shop",
    '',
  ])
})

test('for the whole cluster, a service account too', () => {
  expect(
    said(
      'nodes is forbidden: User "system:serviceaccount:shop:web" cannot list resource "nodes" in API group "" at the cluster scope',
    ),
  ).toEqual([
    'Whoever administers the cluster can allow it:',
    '  gantry create clusterrole web-list-nodes --verb=list --resource=nodes',
    '  gantry create clusterrolebinding web-list-nodes --clusterrole=web-list-nodes --serviceaccount=shop:web',
    '',
  ])
})

test('nobody is told to log in, and of what no right would allow nothing is said', () => {
  expect(
    said(
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    ),
  ).toEqual([expect.stringContaining('Nobody is logged in'), ''])
  expect(said('pods "x" is forbidden: exceeded quota: garden')).toEqual([''])
})
