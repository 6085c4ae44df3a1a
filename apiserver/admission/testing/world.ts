import { beforeEach } from 'vitest'
import type { AnyObject } from '../../../api/machinery/object.ts'
import { alwaysDeny } from '../../auth/authorizer.ts'
import { MemoryClient } from '../../auth/testing/memory-client.ts'
import type { Authorizer } from '../../auth/types.ts'
import { AdmissionChain } from '../chain.ts'
import type { AdmissionContext } from '../context.ts'
import { createAdmissionPlugins } from '../plugins.ts'
import type { AdmissionAttributes } from '../types.ts'

/** What a test of admission works on: a namespace `web` with its default service account, and nothing allowed. */
export interface World {
  client: MemoryClient
  nowMs: number
  /** What the authorizer allows, as `verb resource name`. */
  allowed: string[]
  warnings: string[]
}

/** A fresh world for each test. */
export function useWorld(): World {
  const world = {} as World
  beforeEach(() => {
    const client = new MemoryClient()
    Object.assign(world, { client, nowMs: 0, allowed: [], warnings: [] })
    client.put('', 'namespaces', { metadata: { name: 'web' }, status: { phase: 'Active' } })
    client.put('', 'serviceaccounts', { metadata: { name: 'default', namespace: 'web' } })
  })
  return world
}

export function contextOf(world: World): AdmissionContext {
  const { client } = world
  const authorizer: Authorizer = {
    ...alwaysDeny,
    authorize: ({ verb, resource, name }) => ({
      allowed: world.allowed.includes(`${verb} ${resource} ${name}`),
      reason: 'no',
    }),
  }
  return {
    client,
    lookup: client.lookup,
    lookupKind: (group, kind) => (kind === 'ReplicaSet' ? client.lookup(group, 'replicasets') : undefined),
    authorizer,
    now: () => world.nowMs,
    sleep: async () => {},
  }
}

/** A chain of the plugin named. */
export const only = (world: World, wanted: string): AdmissionChain =>
  new AdmissionChain(
    createAdmissionPlugins(contextOf(world), { enable: [wanted] }).filter(({ name }) => name === wanted),
  )

/** A request such as `CREATE apps/deployments` or `UPDATE /pods/status`, in the namespace web, by jane. */
export function requestIn(
  world: World,
  what: string,
  object?: object,
  more: Partial<AdmissionAttributes> = {},
): AdmissionAttributes {
  const [operation, path = ''] = what.split(' ')
  const [group = '', plural = '', subresource = ''] = path.split('/')
  const resource = world.client.lookup(group, plural)
  const meta = (object as AnyObject | undefined)?.metadata ?? more.old?.metadata
  return {
    operation: operation as AdmissionAttributes['operation'],
    resource,
    subresource,
    namespace: resource.namespaced ? 'web' : '',
    name: meta?.name ?? '',
    ...(object ? { object: object as AnyObject } : {}),
    user: { name: 'jane', groups: ['system:authenticated'] },
    dryRun: false,
    warn: (message) => world.warnings.push(message),
    ...more,
  }
}

export const container = (more: object = {}) => ({ name: 'c', image: 'nginx', ...more })

export const pod = (spec: object = {}, metadata: object = {}) => ({
  metadata: { name: 'p', namespace: 'web', ...metadata },
  spec: { containers: [container()], ...spec } as { [field: string]: unknown; containers: object[] },
})

/** The refusal's code and message; undefined if it was let through. */
export async function refusal(chain: AdmissionChain, attributes: AdmissionAttributes): Promise<string | undefined> {
  try {
    await chain.run(attributes)
    return undefined
  } catch (error) {
    const { code, message } = error as { code?: number; message: string }
    return `${code} ${message}`
  }
}
