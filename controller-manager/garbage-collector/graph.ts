import type { ObjectMeta, OwnerReference } from '../../api/generated/types.ts'
import type { ResourceRef } from '../../client/types.ts'

export const foregroundFinalizer = 'foregroundDeletion'
export const orphanFinalizer = 'orphan'

/** Where an object is found. */
export interface Identity {
  apiVersion: string
  kind: string
  /** Unknown of an owner that was only ever seen named. */
  ref?: ResourceRef
  namespace: string
  name: string
  uid: string
}

/** An object, as far as ownership goes. */
export interface GraphNode {
  identity: Identity
  owners: readonly OwnerReference[]
  /** Those that name this one as their owner. */
  dependents: Set<GraphNode>
  beingDeleted: boolean
  /** Waits, by its finalizer, for the dependents that block it. */
  deletingDependents: boolean
  /** Named by a dependent, never seen itself. */
  virtual: boolean
}

/** What became due by a change. */
export interface Due {
  /** Look whether these may stay. */
  check: GraphNode[]
  /** Take this one off its dependents' owners. */
  orphan: GraphNode[]
}

/** Who owns whom, of all objects in the cluster, kept up with what the watches tell. */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>()

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid)
  }

  get size(): number {
    return this.#nodes.size
  }

  /** An object was added or changed. */
  observe(identity: Identity, meta: ObjectMeta): Due {
    const due: Due = { check: [], orphan: [] }
    const owners = (meta.ownerReferences ?? []).map(({ apiVersion, kind, name, uid, blockOwnerDeletion }) => ({
      apiVersion,
      kind,
      name,
      uid,
      ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
    }))
    let node = this.#nodes.get(identity.uid)
    if (node?.virtual) {
      node.virtual = false
      const named = node.identity
      node.identity = identity
      // Named otherwise than it is: whoever did so is wrong about its owner.
      if (
        named.namespace !== identity.namespace ||
        named.apiVersion !== identity.apiVersion ||
        named.kind !== identity.kind
      )
        due.check.push(...node.dependents)
    }
    if (!node) {
      node = {
        identity,
        owners: [],
        dependents: new Set(),
        beingDeleted: false,
        deletingDependents: false,
        virtual: false,
      }
      this.#nodes.set(identity.uid, node)
    }
    this.#setOwners(node, owners, due)
    const deleting = meta.deletionTimestamp !== undefined
    const finalizers = meta.finalizers ?? []
    if (deleting && finalizers.includes(orphanFinalizer)) due.orphan.push(node)
    if (deleting && finalizers.includes(foregroundFinalizer) && !node.deletingDependents) {
      node.deletingDependents = true
      due.check.push(...node.dependents, node)
    }
    if (deleting && !node.beingDeleted) {
      node.beingDeleted = true
      // An owner that waits for its dependents may see its last one going.
      this.#addWaitingOwners(node.owners, due)
    }
    return due
  }

  /** An object is gone. */
  forget(uid: string): Due {
    const due: Due = { check: [], orphan: [] }
    const node = this.#nodes.get(uid)
    if (!node) return due
    this.#nodes.delete(uid)
    this.#leaveOwners(node, node.owners)
    due.check.push(...node.dependents)
    this.#addWaitingOwners(node.owners, due)
    // Those that still name it find it again, as one that is not there, when they are looked at.
    return due
  }

  #setOwners(node: GraphNode, owners: readonly OwnerReference[], due: Due): void {
    const before = new Map(node.owners.map((owner) => [owner.uid, owner]))
    const after = new Map(owners.map((owner) => [owner.uid, owner]))
    const removed = node.owners.filter(({ uid }) => !after.has(uid))
    const unblocked = owners.filter((owner) => before.get(owner.uid)?.blockOwnerDeletion && !owner.blockOwnerDeletion)
    this.#leaveOwners(node, removed)
    this.#addWaitingOwners([...removed, ...unblocked], due)
    node.owners = owners
    for (const owner of owners) {
      if (before.has(owner.uid)) continue
      const { apiVersion, kind, name, uid } = owner
      let target = this.#nodes.get(uid)
      if (!target) {
        const identity = { apiVersion, kind, name, uid, namespace: node.identity.namespace }
        target = {
          identity,
          owners: [],
          dependents: new Set(),
          beingDeleted: false,
          deletingDependents: false,
          virtual: true,
        }
        this.#nodes.set(uid, target)
        due.check.push(target)
      } else if (!target.virtual && !canOwn(target.identity, owner, node.identity)) due.check.push(node)
      target.dependents.add(node)
      // It has come too late: its owner is being deleted with its dependents.
      if (target.deletingDependents) due.check.push(node)
    }
  }

  #leaveOwners(node: GraphNode, owners: readonly OwnerReference[]): void {
    for (const { uid } of owners) {
      const owner = this.#nodes.get(uid)
      owner?.dependents.delete(node)
      // Nobody names it any more.
      if (owner?.virtual && owner.dependents.size === 0) this.#nodes.delete(uid)
    }
  }

  #addWaitingOwners(owners: readonly OwnerReference[], due: Due): void {
    for (const { uid } of owners) {
      const owner = this.#nodes.get(uid)
      if (owner?.deletingDependents) due.check.push(owner)
    }
  }
}

/** Whether the owner is what the dependent takes it for, and where it may be. */
export function canOwn(owner: Identity, reference: OwnerReference, dependent: Identity): boolean {
  return (
    owner.kind === reference.kind &&
    owner.name === reference.name &&
    (owner.namespace === '' || owner.namespace === dependent.namespace)
  )
}

/** The dependents that must go before their owner may. */
export const blocking = (owner: GraphNode): GraphNode[] =>
  [...owner.dependents].filter(({ owners }) =>
    owners.some(({ uid, blockOwnerDeletion }) => uid === owner.identity.uid && blockOwnerDeletion === true),
  )
