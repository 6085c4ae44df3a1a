import type { Scale, V2CrossVersionObjectReference } from '../../api/generated/types.ts'
import { isConflict } from '../../client/errors.ts'
import type { Api, Live, ResourceRef } from '../../client/types.ts'
import type { Kinds } from './kinds.ts'

/** What an autoscaler scales: its scale, and where that is written. */
export interface Target {
  ref: ResourceRef<Scale>
  scale: Live<Scale>
}

/** As often as upstream writes again after a conflict. */
const maxAttempts = 5

/** Reads the scale of the target. Throws what stood in the way. */
export async function readTarget(
  api: Api,
  kinds: Kinds,
  namespace: string,
  { apiVersion = '', kind, name }: V2CrossVersionObjectReference,
  signal: AbortSignal,
): Promise<Target> {
  const refs = await kinds.resourcesOf(apiVersion, kind, signal)
  let first: unknown
  for (const ref of refs as ResourceRef<Scale>[]) {
    try {
      return { ref, scale: await api.get(ref, { namespace, name }, { subresource: 'scale', signal }) }
    } catch (error) {
      signal.throwIfAborted()
      first ??= error
    }
  }
  throw first
}

/** Sets the replicas, also over what others have changed meanwhile. */
export async function writeTarget(
  api: Api,
  { ref, scale }: Target,
  replicas: number,
  signal: AbortSignal,
): Promise<void> {
  let current = scale
  for (let attempt = 1; ; attempt++) {
    try {
      // The body is a Scale, whatever kind the path names.
      const body = { ...current, apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { ...current.spec, replicas } }
      await api.update(ref, body, { subresource: 'scale', signal })
      return
    } catch (error) {
      if (!isConflict(error) || attempt >= maxAttempts) throw error
      current = await api.get(ref, current.metadata, { subresource: 'scale', signal })
    }
  }
}
