import { expect, test } from 'vitest'
import { imaginedNodes, podsOf } from './pods-of.ts'

const template = (spec: object = {}) => ({
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'c', image: 'x' }], ...spec },
})
const nodes = imaginedNodes('3x4cpu,16Gi')
const wanted = (kind: string, apiVersion: string, spec: object) =>
  podsOf({ apiVersion, kind, metadata: { name: 'x' }, spec } as Parameters<typeof podsOf>[0], nodes, {
    namespace: 'here',
    priorities: new Map([['high', 7]]),
  })

test.each([
  ['Pod', 'v1', template().spec, 1],
  ['Deployment', 'apps/v1', { replicas: 3, template: template() }, 3],
  ['StatefulSet', 'apps/v1', { template: template() }, 1],
  ['DaemonSet', 'apps/v1', { template: template() }, 3],
  ['Job', 'batch/v1', { parallelism: 5, completions: 2, template: template() }, 2],
  ['CronJob', 'batch/v1', { jobTemplate: { spec: { parallelism: 2, template: template() } } }, 2],
])('a %s makes its pods', (kind, apiVersion, spec, count) => {
  const found = wanted(kind, apiVersion, spec)
  expect(found?.owner).toBe(`${kind.toLowerCase()}/x`)
  expect(found?.pods).toHaveLength(count)
  // As the API server would have defaulted it.
  expect(found?.pods[0]?.spec?.schedulerName).toBe('default-scheduler')
  expect(found?.pods[0]?.metadata.namespace).toBe('here')
})

test('other kinds make none, and a workload without containers is an error', () => {
  expect(wanted('ConfigMap', 'v1', {})).toBeUndefined()
  expect(() => wanted('Deployment', 'apps/v1', { replicas: 1 })).toThrow(
    'Deployment x names no containers for its pods',
  )
})

test('pods have the priority of their class, those of a daemon set a node of their own', () => {
  const high = template({ priorityClassName: 'high' })
  expect(wanted('Deployment', 'apps/v1', { template: high })?.pods[0]?.spec?.priority).toBe(7)
  const bound = wanted('DaemonSet', 'apps/v1', { template: template() })?.pods[1]?.spec?.affinity
  expect(JSON.stringify(bound)).toContain('imagined-2')
})

test('nodes are imagined by number and size', () => {
  expect(nodes.map(({ metadata }) => metadata.name)).toEqual(['imagined-1', 'imagined-2', 'imagined-3'])
  expect(nodes[0]?.status?.allocatable).toEqual({ cpu: '4', memory: '16Gi', pods: '110' })
  expect(imaginedNodes('1x500mcpu')[0]?.status?.allocatable?.cpu).toBe('500m')
  for (const text of ['3', '3x', 'x4cpu', '3x4cpu,lots']) expect(() => imaginedNodes(text)).toThrow('5000x32cpu')
})
