import type { NamedObject } from '../objects.ts'
import { isStatusOnly, type ObjectVersion } from '../past/versions.ts'

/** What undoing comes to. */
export type UndoPlan =
  | { step: 'update'; to: ObjectVersion; undone: ObjectVersion | undefined; object: NamedObject }
  | { step: 'create'; to: ObjectVersion; undone: ObjectVersion; object: NamedObject }
  | { step: 'refuse'; why: string }

/** Components follow what people want: what they wrote is not what somebody wants undone. */
const isComponent = (user = ''): boolean => /^system:(kube-|node:|apiserver|serviceaccount:kube-system:)/.test(user)

/** Set by controllers from what else there is: it stays as it is. */
const isDerived = (annotation: string): boolean => annotation.startsWith('deployment.kubernetes.io/')

/**
 * How to take back the last change that somebody made of an object, from its versions, newest first: what it was before
 * that. Of a deletion: make it again. With `target`, how to go back to that version.
 */
export function planUndo(versions: readonly ObjectVersion[], target?: ObjectVersion): UndoPlan {
  const [newest] = versions
  if (!newest) return { step: 'refuse', why: 'nothing is remembered of it' }
  if (newest.operation === 'deleted') {
    const to = target ?? versions.find(({ operation }) => operation !== 'deleted')
    if (!to?.object) return { step: 'refuse', why: 'what it was before it was deleted is not remembered any more' }
    return { step: 'create', to, undone: newest, object: asNew(to.object) }
  }
  const current = newest.object as NamedObject
  if (target) {
    if (!target.object) return { step: 'refuse', why: `at revision ${target.revision} it was not there` }
    return { step: 'update', to: target, undone: undefined, object: asChange(target.object, current) }
  }
  const at = versions.findIndex((version) => !isComponent(version.user) && !isStatusOnly(version))
  const undone = versions[at]
  if (!undone) return { step: 'refuse', why: 'no change of anybody is remembered' }
  if (undone.operation === 'created')
    return {
      step: 'refuse',
      why: `its last change by anybody is that ${undone.user ?? 'somebody'} created it, at revision ${undone.revision}; delete it to take that back`,
    }
  const to = versions[at + 1]
  if (!to?.object)
    return { step: 'refuse', why: `what it was before revision ${undone.revision} is not remembered any more` }
  return { step: 'update', to, undone, object: asChange(to.object, current) }
}

/** The wanted version to be written over the one that stands, and only over that. */
function asChange(wanted: NamedObject, current: NamedObject): NamedObject {
  const { status: _status, metadata, ...rest } = wanted
  const { labels, annotations, ownerReferences, finalizers } = metadata
  const derived = Object.entries(current.metadata.annotations ?? {}).filter(([key]) => isDerived(key))
  const own = Object.entries(annotations ?? {}).filter(([key]) => !isDerived(key))
  const {
    labels: _l,
    annotations: _a,
    ownerReferences: _o,
    finalizers: _f,
    managedFields: _m,
    ...identity
  } = current.metadata
  const status = 'status' in current ? { status: current.status } : {}
  return {
    ...rest,
    metadata: {
      ...identity,
      ...(labels ? { labels } : {}),
      ...(own.length + derived.length > 0 ? { annotations: Object.fromEntries([...own, ...derived]) } : {}),
      ...(ownerReferences ? { ownerReferences } : {}),
      ...(finalizers ? { finalizers } : {}),
    },
    ...status,
  }
}

/** The wanted version as an object of its own: who owned it may be gone, and its node may be full. */
function asNew(wanted: NamedObject): NamedObject {
  const { status: _status, metadata, ...rest } = wanted
  const { name, namespace, labels, annotations, finalizers } = metadata
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !isDerived(key))
  const object: NamedObject = {
    ...rest,
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      ...(labels ? { labels } : {}),
      ...(kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}),
      ...(finalizers ? { finalizers } : {}),
    },
  }
  if (wanted.kind === 'Pod' && object.spec) {
    const { nodeName: _node, ...spec } = object.spec as Record<string, unknown>
    object.spec = spec
  }
  return object
}
