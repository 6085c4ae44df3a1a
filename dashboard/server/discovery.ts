import { type GroupList, servedBy } from '../../client/discovery.ts'
import type { Kind } from './kinds.ts'
import { askJson } from './request.ts'

const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
let asked: Promise<Kind[]> | undefined

/** The kinds that can be listed and watched. Asked once, and again after a failure. */
export function servedKinds(): Promise<Kind[]> {
  asked ??= discover().catch((error) => {
    asked = undefined
    throw error
  })
  return asked
}

async function discover(): Promise<Kind[]> {
  const [core, others] = await Promise.all([
    askJson<GroupList>('/api', { accept }),
    askJson<GroupList>('/apis', { accept }),
  ])
  const { resources } = servedBy([...(core.items ?? []), ...(others.items ?? [])])
  return resources
    .filter(({ verbs }) => verbs.includes('list') && verbs.includes('watch'))
    .map(({ group, version, plural, kind, namespaced }) => ({ group, version, plural, kind, namespaced }))
}
