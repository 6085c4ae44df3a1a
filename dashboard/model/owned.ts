import type { Deployment, Job, Pod, ReplicaSet } from '../../api/generated/types.ts'
import type { KubeObject, Stored } from '../../api/machinery/object.ts'
import { jobState } from './jobs.ts'
import { type Health, viewOf } from './pods.ts'
import { deploymentRollout } from './rollout.ts'

/** An object in a tree of what owns what. */
export interface Branch {
  kind: string
  apiVersion: string
  namespace: string
  name: string
  /** The object itself, where it is known. */
  object?: KubeObject
  health: Health
  state: string
  children: Branch[]
}

/** What is known of a namespace, by kind. */
export interface Owned {
  kind: string
  apiVersion: string
  objects: Iterable<KubeObject>
}

/** The object with all it owns, and that owns in turn. */
export function treeOf(root: Omit<Owned, 'objects'>, object: KubeObject, sources: readonly Owned[]): Branch {
  const byOwner = new Map<string, { kind: string; apiVersion: string; object: KubeObject }[]>()
  for (const { kind, apiVersion, objects } of sources) {
    for (const each of objects) {
      for (const { uid } of each.metadata.ownerReferences ?? []) {
        const others = byOwner.get(uid)
        if (others) others.push({ kind, apiVersion, object: each })
        else byOwner.set(uid, [{ kind, apiVersion, object: each }])
      }
    }
  }
  const branch = (kind: string, apiVersion: string, of: KubeObject, above: ReadonlySet<string>): Branch => {
    const uid = of.metadata.uid ?? ''
    // Whoever wrote references that go round in a circle sees them once.
    const children = above.has(uid) ? [] : (byOwner.get(uid) ?? [])
    const within = new Set(above).add(uid)
    return {
      kind,
      apiVersion,
      namespace: of.metadata.namespace ?? '',
      name: of.metadata.name ?? '',
      object: of,
      ...stateOf(kind, of),
      children: [...children]
        .sort((a, b) => newerFirst(a.object, b.object))
        .map((child) => branch(child.kind, child.apiVersion, child.object, within)),
    }
  }
  return branch(root.kind, root.apiVersion, object, new Set())
}

function newerFirst(a: KubeObject, b: KubeObject): number {
  const x = a.metadata.creationTimestamp ?? ''
  const y = b.metadata.creationTimestamp ?? ''
  if (x !== y) return x < y ? 1 : -1
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}

/** What is known of how an object does. */
export function stateOf(kind: string, object: KubeObject): { health: Health; state: string } {
  switch (kind) {
    case 'Pod': {
      const { health, status, ready, containers } = viewOf(object as Stored<Pod>)
      return { health, state: health === 'over' ? status : `${status}, ${ready}/${containers} ready` }
    }
    case 'Deployment':
      return deploymentRollout(object as Stored<Deployment>)
    case 'ReplicaSet': {
      const { spec, status } = object as Stored<ReplicaSet>
      const desired = spec?.replicas ?? 1
      const ready = status?.readyReplicas ?? 0
      if (desired === 0 && (status?.replicas ?? 0) === 0) return { health: 'over', state: 'An older revision' }
      return { health: ready >= desired ? 'good' : 'busy', state: `${ready}/${desired} ready` }
    }
    case 'Job':
      return jobState(object as Stored<Job>)
    default:
      return object.metadata.deletionTimestamp
        ? { health: 'busy', state: 'Being deleted' }
        : { health: 'good', state: '' }
  }
}
