import type { CustomResourceDefinition, ObjectMeta, OwnerReference } from '../../api/generated/types.ts'
import { type Controller, TerminalError } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { Informer } from '../../client/informer.ts'
import { apiVersionOf, customResourceDefinitions } from '../../client/resources.ts'
import type { Live, ResourceRef, ServedResource } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { type Decision, decide, type OwnersFound } from './decide.ts'
import {
  blocking,
  type Due,
  foregroundFinalizer,
  type GraphNode,
  type Identity,
  OwnerGraph,
  orphanFinalizer,
} from './graph.ts'

/** Nothing owns or is owned by these, and they are many. */
const ignored = new Set(['/events', 'events.k8s.io/events'])
const rememberedAbsent = 500
const uid = 'check '
const orphan = 'orphan '

/**
 * Deletes objects whose owners are all gone, holds back owners that are deleted in the foreground until what blocks them
 * has gone, and takes owners that are deleted with `orphan` off their dependents.
 */
export function newGarbageCollector(deps: ControllerDeps): Controller[] {
  const { api, clock, events, informers, log, options } = deps
  if (!options.enableGarbageCollector) return []
  const queue = new WorkQueue({
    clock,
    name: 'garbage_collector_attempt_to_delete',
    baseDelayMs: 50,
    maxDelayMs: 30_000,
  })
  const graph = new OwnerGraph()
  /** Uids of objects that have gone, and places where an object was looked for that is not there. */
  const absent = new Set<string>()
  const monitors = new Map<string, { informer: Informer<unknown>; stop: AbortController }>()
  let served = new Map<string, ServedResource>()
  const definitions = informers.for<CustomResourceDefinition>(customResourceDefinitions)

  const add = ({ check, orphan: orphans }: Due) => {
    for (const node of check) queue.add(uid + node.identity.uid)
    for (const node of orphans) queue.add(orphan + node.identity.uid)
  }
  const forget = (gone: string) => {
    rememberAbsent(gone)
    add(graph.forget(gone))
  }
  function rememberAbsent(gone: string): void {
    absent.add(gone)
    if (absent.size <= rememberedAbsent) return
    for (const oldest of absent) {
      absent.delete(oldest)
      return
    }
  }
  const identityOf = (ref: ResourceRef, { namespace = '', name = '', uid: own = '' }: ObjectMeta): Identity => ({
    apiVersion: apiVersionOf(ref),
    kind: ref.kind,
    ref,
    namespace,
    name,
    uid: own,
  })

  /** Follows every kind that can be deleted, and no longer those that are not served any more. */
  async function follow(signal: AbortSignal): Promise<void> {
    const { resources } = await api.discover(signal)
    served = new Map(resources.map((kind) => [`${kind.group}/${kind.kind}`, kind]))
    const needed = ['delete', 'list', 'watch']
    const wanted = resources.filter(
      ({ group, plural, verbs }) => needed.every((verb) => verbs.includes(verb)) && !ignored.has(`${group}/${plural}`),
    )
    const names = new Set(wanted.map(({ group, plural }) => `${group}/${plural}`))
    for (const [name, { informer, stop }] of monitors) {
      if (names.has(name)) continue
      stop.abort()
      monitors.delete(name)
      for (const { metadata } of informer.lister.list()) forget(metadata.uid ?? '')
    }
    await Promise.all(
      wanted.filter(({ group, plural }) => !monitors.has(`${group}/${plural}`)).map((kind) => monitor(kind, signal)),
    )
  }

  function monitor(kind: ServedResource, signal: AbortSignal): Promise<void> {
    const stop = new AbortController()
    signal.addEventListener('abort', () => stop.abort(signal.reason), { once: true })
    const shared = informers.standing(kind)
    const informer =
      shared ??
      new Informer<unknown>(api, kind, {
        clock,
        metadataOnly: true,
        transform: ({ metadata }) => slim(metadata),
        onError: (error) => log.debug({ kind: kind.plural, err: (error as Error).message }, 'a watch has failed'),
      })
    const observe = ({ metadata }: Live<unknown>) => add(graph.observe(identityOf(kind, metadata), metadata))
    informer.on({
      add: observe,
      update: (_, after) => observe(after),
      delete: ({ metadata }) => forget(metadata.uid ?? ''),
    })
    monitors.set(`${kind.group}/${kind.plural}`, { informer, stop })
    return informer.start(shared ? signal : stop.signal)
  }

  async function live(identity: Identity, signal: AbortSignal): Promise<ObjectMeta | undefined> {
    const ref = identity.ref ?? refOf(identity)
    if (!ref) throw new Error(`nothing of kind ${identity.kind} in ${identity.apiVersion} is served`)
    try {
      const key = { ...(ref.namespaced ? { namespace: identity.namespace } : {}), name: identity.name }
      return (await api.get(ref, key, { metadataOnly: true, signal })).metadata
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  const refOf = ({ apiVersion, kind }: { apiVersion: string; kind: string }): ServedResource | undefined =>
    served.get(`${apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''}/${kind}`)

  async function classify(
    node: GraphNode,
    references: readonly OwnerReference[],
    signal: AbortSignal,
  ): Promise<OwnersFound> {
    const found = { solid: [] as OwnerReference[], dangling: [] as OwnerReference[], waiting: [] as OwnerReference[] }
    for (const reference of references) {
      const owner = await ownerOf(node, reference, signal)
      if (!owner) found.dangling.push(reference)
      else if (owner.deletionTimestamp && owner.finalizers?.includes(foregroundFinalizer)) found.waiting.push(reference)
      else found.solid.push(reference)
    }
    return found
  }

  /** The owner as it is now; undefined when there is none of that uid. */
  async function ownerOf(
    node: GraphNode,
    reference: OwnerReference,
    signal: AbortSignal,
  ): Promise<ObjectMeta | undefined> {
    const { namespace } = node.identity
    if (absent.has(reference.uid) || absent.has(placeOf(reference, namespace))) return undefined
    const ref = refOf(reference)
    // Of a kind that is not served: it cannot be told whether it is there, so nothing is deleted.
    if (!ref)
      throw new Error(
        `the owner ${reference.kind} ${reference.name} of ${describe(node)} is of a kind that is not served`,
      )
    if (ref.namespaced && namespace === '') {
      tellInvalidNamespace(node, reference)
      // Whether it is there cannot be told, and what cannot be told deletes nothing.
      throw new TerminalError(
        `${describe(node)} is in no namespace, and cannot have ${reference.kind} ${reference.name} as its owner`,
      )
    }
    const owner = await live({ ...reference, ref, namespace: ref.namespaced ? namespace : '' }, signal)
    if (owner?.uid === reference.uid) return owner
    // Elsewhere there may be one of that uid, which owns others rightly.
    rememberAbsent(placeOf(reference, namespace))
    const elsewhere = graph.get(reference.uid)
    if (elsewhere && !elsewhere.virtual && !['', namespace].includes(elsewhere.identity.namespace))
      tellInvalidNamespace(node, reference)
    return undefined
  }

  const tellInvalidNamespace = (node: GraphNode, owner: OwnerReference) => {
    const { namespace } = node.identity
    const { apiVersion, kind, name, uid: own } = owner
    const identity = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${own}]`
    const message = `ownerRef ${identity} does not exist in namespace "${namespace}"`
    events.event(aboutOf(node), 'Warning', 'OwnerRefInvalidNamespace', message)
  }

  async function check(node: GraphNode, signal: AbortSignal): Promise<void> {
    if (node.beingDeleted && !node.deletingDependents) return
    const meta = await live(node.identity, signal)
    if (!meta || meta.uid !== node.identity.uid) {
      if (node.virtual) {
        // Not where the first of those that name it has it. Each of them looks where it has it itself.
        rememberAbsent(placeOf(node.identity, node.identity.namespace))
        for (const dependent of node.dependents) queue.add(uid + dependent.identity.uid)
      } else forget(node.identity.uid)
      return
    }
    // It is there after all; its own watch will tell the rest.
    if (node.virtual) return
    if (node.deletingDependents) {
      await finishForeground(node, meta, signal)
      return
    }
    const references = meta.ownerReferences ?? []
    if (references.length === 0) return
    const found = await classify(node, references, signal)
    const dependents = [...node.dependents]
    await act(
      node,
      meta,
      decide(meta, found, {
        any: dependents.length > 0,
        anyWaiting: dependents.some((each) => each.deletingDependents),
      }),
      signal,
    )
  }

  async function act(node: GraphNode, meta: ObjectMeta, decision: Decision, signal: AbortSignal): Promise<void> {
    if (decision.do === 'keep') return
    if (decision.do === 'release') {
      await write(node, meta, { ownerReferences: decision.owners }, signal)
      return
    }
    let version = meta.resourceVersion
    if (decision.unblock) {
      const ownerReferences = (meta.ownerReferences ?? []).map((owner) => ({ ...owner, blockOwnerDeletion: false }))
      version = (await write(node, meta, { ownerReferences }, signal))?.resourceVersion
    }
    const { ref, namespace, name, uid: own } = node.identity
    log.info({ object: describe(node), policy: decision.policy }, 'deleting what has lost its owner')
    await api.delete(
      ref as ResourceRef,
      { namespace: namespace || undefined, name },
      {
        propagationPolicy: decision.policy,
        preconditions: { uid: own, ...(version ? { resourceVersion: version } : {}) },
        signal,
      },
    )
  }

  async function finishForeground(node: GraphNode, meta: ObjectMeta, signal: AbortSignal): Promise<void> {
    const waitFor = blocking(node)
    if (waitFor.length === 0) {
      const finalizers = (meta.finalizers ?? []).filter((each) => each !== foregroundFinalizer)
      if (finalizers.length !== meta.finalizers?.length) await write(node, meta, { finalizers }, signal)
      return
    }
    for (const dependent of waitFor) if (!dependent.deletingDependents) queue.add(uid + dependent.identity.uid)
  }

  async function orphanDependents(node: GraphNode, signal: AbortSignal): Promise<void> {
    for (const dependent of [...node.dependents]) {
      const meta = await live(dependent.identity, signal)
      if (meta?.uid !== dependent.identity.uid) continue
      const ownerReferences = (meta.ownerReferences ?? []).filter((owner) => owner.uid !== node.identity.uid)
      if (ownerReferences.length !== (meta.ownerReferences ?? []).length)
        await write(dependent, meta, { ownerReferences }, signal)
    }
    const meta = await live(node.identity, signal)
    if (meta?.uid !== node.identity.uid) return
    const finalizers = (meta.finalizers ?? []).filter((each) => each !== orphanFinalizer)
    if (finalizers.length !== meta.finalizers?.length) await write(node, meta, { finalizers }, signal)
  }

  async function write(
    node: GraphNode,
    meta: ObjectMeta,
    change: Partial<Record<'finalizers' | 'ownerReferences', unknown>>,
    signal: AbortSignal,
  ) {
    const { ref, namespace, name } = node.identity
    try {
      const body = { metadata: { uid: meta.uid, resourceVersion: meta.resourceVersion, ...change } }
      const key = { namespace: namespace || undefined, name }
      return (await api.patch(ref as ResourceRef, key, { type: 'merge', body }, { signal })).metadata
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  return [
    {
      name: 'garbage-collector',
      workers: options.workers.gc ?? 20,
      queue,
      async start(signal) {
        await follow(signal)
        const again = () => {
          follow(signal).catch((error: unknown) => {
            if (!signal.aborted) log.warn({ err: (error as Error).message }, 'kinds could not be discovered anew')
          })
        }
        definitions.on({ update: again, delete: again })
      },
      async reconcile(key, signal) {
        const node = graph.get(key.slice(uid.length))
        if (key.startsWith(orphan)) {
          const target = graph.get(key.slice(orphan.length))
          if (target) await orphanDependents(target, signal)
        } else if (node) {
          try {
            await check(node, signal)
          } catch (error) {
            // Changed or gone meanwhile: its watch brings it back.
            if (!isConflict(error) && !isNotFound(error)) throw error
            return { requeueAfterMs: 100 }
          }
        }
        return
      },
    },
  ]
}

function slim({
  name,
  namespace,
  uid: own,
  resourceVersion,
  ownerReferences,
  finalizers,
  deletionTimestamp,
}: Live<unknown>['metadata']): Live<unknown> {
  return {
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      ...(own ? { uid: own } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(ownerReferences ? { ownerReferences } : {}),
      ...(finalizers ? { finalizers } : {}),
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
    },
  }
}

const describe = ({ identity: { kind, namespace, name } }: GraphNode) =>
  `${kind} ${namespace ? `${namespace}/` : ''}${name}`

/** Where an owner was looked for: by the namespace, kind and name that a dependent has it by. */
const placeOf = ({ kind, name, uid: own }: Pick<OwnerReference, 'kind' | 'name' | 'uid'>, namespace: string) =>
  [own, kind, namespace, name].join(' ')

const aboutOf = ({ identity: { apiVersion, kind, namespace, name, uid: own } }: GraphNode) => ({
  apiVersion,
  kind,
  metadata: { name, uid: own, ...(namespace ? { namespace } : {}) },
})
