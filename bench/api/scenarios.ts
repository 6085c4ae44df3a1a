import { type Load, once, type Result, run } from './load.ts'
import type { Target } from './target.ts'
import { type FanOut, fanOut } from './watchers.ts'

export interface Measured {
  results: Result[]
  fans: FanOut[]
}

/**
 * All loads, one after the other, in a namespace of their own. `large` adds what takes minutes: the list of 50,000 and
 * the thousand watchers.
 */
export async function measure(
  target: Target,
  large: boolean,
  note: (what: Result | FanOut) => void,
): Promise<Measured> {
  const measured: Measured = { results: [], fans: [] }
  const stamp = Date.now().toString(36)
  const namespace = `bench-${stamp}`
  const configMaps = `/api/v1/namespaces/${namespace}/configmaps`
  const pods = `/api/v1/namespaces/${namespace}/pods`
  const load = async (name: string, clients: number, count: number, make: Load['make']) => {
    const result = await run(target, { name, clients, count, make })
    measured.results.push(result)
    note(result)
  }
  const create = (prefix: string, labels?: (i: number) => Record<string, string>) => (i: number) => ({
    method: 'POST',
    path: configMaps,
    body: configMap(`${prefix}-${i}`, labels?.(i) ?? {}),
  })
  const remove = (collection: string, prefix: string) => (i: number) => ({
    method: 'DELETE',
    path: `${collection}/${prefix}-${i}`,
  })

  await makeNamespace(target, namespace)
  // Both sides compile what they use most.
  await run(target, { name: 'warm up', clients: 8, count: 1000, make: create('warm') })
  await run(target, { name: 'warm up', clients: 8, count: 1000, make: remove(configMaps, 'warm') })

  await load('create config map, 1 client', 1, 2000, create('a'))
  const five = (i: number): Record<string, string> => (i < 5000 ? { five: 'thousand' } : {})
  await load('create config map, 32 clients', 32, 8000, create('b', five))
  await load('get, 1 client', 1, 3000, (i) => ({ method: 'GET', path: `${configMaps}/b-${i}` }))
  await load('get, 32 clients', 32, 20_000, (i) => ({ method: 'GET', path: `${configMaps}/b-${i % 8000}` }))
  await load('merge-patch, 32 clients', 32, 8000, (i) => ({
    method: 'PATCH',
    path: `${configMaps}/b-${i}`,
    headers: { 'Content-Type': 'application/merge-patch+json' },
    body: '{"data":{"patched":"yes"}}',
  }))
  await load('list 5,000 by label', 1, 20, () => ({
    method: 'GET',
    path: `${configMaps}?labelSelector=five%3Dthousand`,
  }))
  await load('list 5,000 by limit', 1, 20, () => ({ method: 'GET', path: `${configMaps}?limit=5000` }))
  await load('create pod, 32 clients', 32, 4000, (i) => ({ method: 'POST', path: pods, body: pod(`p-${i}`) }))
  await load('delete pod, 32 clients', 32, 4000, remove(pods, 'p'))

  for (const watchers of large ? [50, 1000] : [50]) {
    const fan = `f${watchers}`
    const path = `${configMaps}?watch=true&labelSelector=fan%3D${fan}`
    const writes = { name: `create under ${watchers} watchers`, clients: 16, count: watchers > 100 ? 1000 : 4000 }
    const result = await fanOut(target, path, watchers, { ...writes, make: create(fan, () => ({ fan })) })
    measured.fans.push(result)
    measured.results.push(result.writes)
    note(result.writes)
    note(result)
  }
  if (large) {
    await load('create 40,000, 32 clients', 32, 40_000, create('c'))
    await load('list 50,000', 1, 5, () => ({ method: 'GET', path: `${configMaps}?limit=50000` }))
    await load('list 50,000 at any version', 1, 5, () => ({
      method: 'GET',
      path: `${configMaps}?resourceVersion=0`,
    }))
  }
  await load('delete, 32 clients', 32, 8000, remove(configMaps, 'b'))
  await once(target, { method: 'DELETE', path: configMaps })
  await once(target, { method: 'DELETE', path: `/api/v1/namespaces/${namespace}` })
  return measured
}

/** With the service account that every pod stands for, which controllers may not be there to make. */
async function makeNamespace(target: Target, name: string): Promise<void> {
  const body = (kind: string, metadata: object) => JSON.stringify({ apiVersion: 'v1', kind, metadata })
  await once(target, { method: 'POST', path: '/api/v1/namespaces', body: body('Namespace', { name }) })
  const path = `/api/v1/namespaces/${name}/serviceaccounts`
  await once(target, { method: 'POST', path, body: body('ServiceAccount', { name: 'default' }) }, [409])
}

const padding = 'x'.repeat(750)

/** About 1 KB. */
const configMap = (name: string, labels: Record<string, string>): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: { padding } })

const pod = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'bench' } },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'registry.example/app:1',
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
          ports: [{ containerPort: 80 }],
        },
      ],
    },
  })
