import { randomUUID } from 'node:crypto'
import jsonPatch, { type Operation } from 'fast-json-patch'
import {
  alreadyExistsError,
  conflictError,
  modifiedMessage,
  notFoundError,
  StatusError,
} from '../../api/machinery/errors.ts'
import { compileFieldSelector } from '../../api/machinery/fields.ts'
import { compileSelector, formatSelectorString } from '../../api/machinery/labels.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { keyOf } from '../key.ts'
import { apiVersionOf, builtinRefs } from '../resources.ts'
import type {
  Api,
  Clock,
  DeleteOptions,
  GetOptions,
  Key,
  ListOptions,
  Live,
  ObjectList,
  Patch,
  ResourceRef,
  ServedResource,
  Submittable,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../types.ts'
import { FakeClock } from './fake-clock.ts'

type Stored = Live<Record<string, unknown>>

interface Change {
  revision: number
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  before: Stored | undefined
  object: Stored
}

interface Table {
  ref: ResourceRef
  objects: Map<string, Stored>
  history: Change[]
}

export interface Call {
  verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deleteCollection' | 'post'
  resource: string
  key: string
  subresource?: string
}

export interface MemoryApiOptions {
  clock?: Clock
  /** Asked before each call: what it throws is the answer. */
  fault?: (call: Call) => void | Promise<void>
}

/**
 * An API server in memory for unit tests: versions and conflicts, uids, generated names, generations, status apart from
 * the rest, finalizers and graceful deletion, selectors, watches with bookmarks. It defaults, validates and authorizes
 * nothing, and propagation of deletes is left to the garbage collector.
 */
export class MemoryApi implements Api {
  /** Every call made, in order. */
  readonly calls: Call[] = []
  readonly #tables = new Map<string, Table>()
  readonly #clock: Clock
  readonly #wakers = new Set<() => void>()
  /** Replaceable by the test at any time. */
  fault: ((call: Call) => void | Promise<void>) | undefined
  /** What subresources such as binding answer, by `plural/subresource`. */
  readonly posts = new Map<string, (key: Key, body: object) => unknown>()
  /** What paths that are no objects answer to {@link read}. */
  readonly paths = new Map<string, (query: Record<string, string>) => unknown>()
  #revision = 1
  #compactedTo = 0

  constructor(options: MemoryApiOptions = {}) {
    this.#clock = options.clock ?? new FakeClock()
    this.fault = options.fault
    this.posts.set('pods/binding', ({ namespace, name }, body) => {
      const { target } = body as { target: { name: string } }
      this.edit(
        { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true },
        { namespace, name },
        (pod) => {
          const spec = (pod as Stored).spec as Record<string, unknown>
          if (spec.nodeName)
            throw conflictError(
              { group: '', resource: 'pods' },
              name,
              `pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`,
            )
          spec.nodeName = target.name
        },
      )
      return { kind: 'Status', status: 'Success' }
    })
  }

  /** All objects of the kind as they stand, for a test to look at. */
  objects<T>(ref: ResourceRef<T>): Live<T>[] {
    return [...this.#table(ref).objects.values()].map((object) => structuredClone(object) as Live<T>)
  }

  /** Changes an object as some other client would: status and all, without a version. */
  edit<T>(ref: ResourceRef<T>, key: Key, change: (object: Live<T>) => void): Live<T> {
    const table = this.#table(ref)
    const standing = this.#standing(table, key)
    const object = structuredClone(standing) as Live<T>
    change(object)
    return structuredClone(this.#put(table, object as Stored, standing)) as Live<T>
  }

  /** Ends all watches, as a server that goes away does. */
  endWatches(): void {
    this.#ended++
    this.#wake()
  }
  #ended = 0

  /** Forgets what was: watches from before now are refused with 410. */
  compact(): void {
    this.#compactedTo = this.#revision
    for (const table of this.#tables.values()) table.history.length = 0
  }

  async get<T>(ref: ResourceRef<T>, key: Key, { subresource }: GetOptions = {}): Promise<Live<T>> {
    await this.#enter('get', ref, key, subresource)
    const standing = structuredClone(this.#standing(this.#table(ref), key))
    return (subresource === 'scale' ? scaleOf(standing) : standing) as Live<T>
  }

  async read<R>(path: string, { query = {} }: { query?: Record<string, string> } = {}): Promise<R> {
    const answer = this.paths.get(path)
    if (!answer) throw new StatusError(404, 'NotFound', 'the server could not find the requested resource')
    return answer(query) as R
  }

  async list<T>(ref: ResourceRef<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    await this.#enter('list', ref, { namespace: options.namespace, name: '' })
    const matches = selection(options)
    const all = [...this.#table(ref).objects.values()].filter(matches).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    const from = Number(options.continue ?? 0)
    const page = options.limit ? all.slice(from, from + options.limit) : all
    const more = from + page.length < all.length
    return {
      metadata: {
        resourceVersion: String(this.#revision),
        ...(more ? { continue: String(from + page.length), remainingItemCount: all.length - from - page.length } : {}),
      },
      items: page.map((object) => structuredClone(object) as Live<T>),
    }
  }

  async *watch<T>(ref: ResourceRef<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    await this.#enter('watch', ref, { namespace: options.namespace, name: '' })
    const table = this.#table(ref)
    const matches = selection(options)
    const { signal } = options
    const ended = this.#ended
    let after = Number(options.resourceVersion || 0)
    if (after === 0 || options.sendInitialEvents) {
      const now = this.#revision
      for (const object of [...table.objects.values()].filter(matches))
        yield { type: 'ADDED', object: structuredClone(object) as Live<T> }
      after = now
      if (options.sendInitialEvents) yield bookmark(after, { 'k8s.io/initial-events-end': 'true' })
    }
    for (;;) {
      if (after < this.#compactedTo)
        throw new StatusError(410, 'Expired', `too old resource version: ${after} (${this.#compactedTo})`)
      for (const change of table.history.filter(({ revision }) => revision > after)) {
        const event = seenThrough(change, matches)
        if (event) yield structuredClone(event) as WatchEvent<T>
        after = Math.max(after, change.revision)
      }
      if (signal?.aborted) throw signal.reason
      if (this.#ended !== ended) return
      // What came meanwhile may have been forgotten at once: then it is gone, and no bookmark may pass over it.
      if (table.history.some(({ revision }) => revision > after) || after < this.#compactedTo) continue
      if (options.allowWatchBookmarks && after < this.#revision) {
        after = this.#revision
        yield bookmark(after)
        continue
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#wakers.delete(wake)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        this.#wakers.add(wake)
        signal?.addEventListener('abort', wake, { once: true })
      })
    }
  }

  async create<T>(ref: ResourceRef<T>, object: T, options: WriteOptions = {}): Promise<Live<T>> {
    const made = structuredClone(object) as unknown as Stored
    made.metadata ??= { name: '' }
    const { metadata: meta } = made
    if (!meta.name && meta.generateName) meta.name = `${meta.generateName}${randomUUID().slice(0, 5)}`
    if (options.subresource) return (await this.post(ref, meta, options.subresource, made)) as Live<T>
    await this.#enter('create', ref, meta)
    const table = this.#table(ref)
    if (table.objects.has(keyOf(made))) throw alreadyExistsError(nameOf(ref), meta.name)
    made.apiVersion = apiVersionOf(ref)
    made.kind = ref.kind
    meta.uid = randomUUID()
    meta.creationTimestamp = formatTime(this.#clock.now())
    if (made.spec !== undefined) meta.generation = 1
    if (ref.plural === 'pods') made.status = { phase: 'Pending', ...(made.status as object) }
    if (options.dryRun) return made as Live<T>
    return structuredClone(this.#put(table, made, undefined)) as Live<T>
  }

  async update<T>(ref: ResourceRef<T>, object: T, options: WriteOptions = {}): Promise<Live<T>> {
    const sent = structuredClone(object) as unknown as Stored
    await this.#enter('update', ref, sent.metadata, options.subresource)
    if (options.subresource === 'scale') {
      const { replicas } = sent.spec as { replicas: number }
      const { name, resourceVersion } = sent.metadata
      const write = (old: Stored): Stored => ({
        ...old,
        metadata: { ...old.metadata, name, ...(resourceVersion ? { resourceVersion } : {}) },
        spec: { ...(old.spec as object), replicas },
      })
      return scaleOf(this.#write(ref, sent.metadata, {}, write)) as Live<T>
    }
    return this.#write(ref, sent.metadata, options, () => sent) as Live<T>
  }

  async patch<T>(ref: ResourceRef<T>, key: Key, patch: Patch, options: WriteOptions = {}): Promise<Live<T>> {
    await this.#enter('patch', ref, key, options.subresource)
    if (patch.type === 'apply' && !this.#table(ref).objects.has(keyOf({ metadata: key as { name: string } }))) {
      const body = patch.body as Stored
      return (await this.create(ref, { ...body, metadata: { ...body.metadata, ...key } } as T)) as Live<T>
    }
    return this.#write(ref, key, options, (old) => {
      if (patch.type === 'json')
        return jsonPatch.applyPatch(structuredClone(old), patch.body as Operation[]).newDocument as Stored
      return merged(old, patch.body, patch.type !== 'merge') as Stored
    }) as Live<T>
  }

  async delete<T>(ref: ResourceRef<T>, key: Key, options: DeleteOptions = {}): Promise<void> {
    await this.#enter('delete', ref, key)
    this.#delete(ref, key, options)
  }

  async deleteCollection<T>(ref: ResourceRef<T>, selected: ListOptions, options: DeleteOptions = {}): Promise<void> {
    await this.#enter('deleteCollection', ref, { namespace: selected.namespace, name: '' })
    for (const { metadata } of [...this.#table(ref).objects.values()].filter(selection(selected)))
      this.#delete(ref, metadata, options)
  }

  async post<R>(ref: ResourceRef, key: Key, subresource: string, body: object): Promise<R> {
    await this.#enter('post', ref, key, subresource)
    const answer = this.posts.get(`${ref.plural}/${subresource}`)
    if (!answer) throw new StatusError(404, 'NotFound', `there is no ${ref.plural}/${subresource} here`)
    return answer(key, body) as R
  }

  async submit(ref: ResourceRef, object: Submittable, { subresource }: { subresource?: string } = {}) {
    if (!subresource) return (await this.create<unknown>(ref, object)).metadata
    await this.post(ref, { ...object.metadata, name: object.metadata?.name ?? '' }, subresource, object)
    return {}
  }

  async discover(): Promise<{ resources: ServedResource[]; incomplete: string[] }> {
    const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
    return { resources: builtinRefs().map((ref) => ({ ...ref, verbs })), incomplete: [] }
  }

  async #enter(verb: Call['verb'], ref: ResourceRef, key: Key, subresource?: string): Promise<void> {
    const call = {
      verb,
      resource: ref.plural,
      key: keyOf({ metadata: { name: key.name, ...(key.namespace ? { namespace: key.namespace } : {}) } }),
      ...(subresource ? { subresource } : {}),
    }
    this.calls.push(call)
    await this.fault?.(call)
  }

  #table(ref: ResourceRef): Table {
    const name = `${ref.group}/${ref.plural}`
    let table = this.#tables.get(name)
    if (!table) {
      table = { ref, objects: new Map(), history: [] }
      this.#tables.set(name, table)
    }
    return table
  }

  #standing(table: Table, key: Key): Stored {
    const found = table.objects.get(key.namespace ? `${key.namespace}/${key.name}` : key.name)
    if (!found) throw notFoundError(nameOf(table.ref), key.name)
    return found
  }

  #write(ref: ResourceRef, key: Key, options: WriteOptions, make: (old: Stored) => Stored): Stored {
    const table = this.#table(ref)
    const old = this.#standing(table, key)
    const sent = structuredClone(make(old))
    const { resourceVersion, uid } = sent.metadata
    if (uid && uid !== old.metadata.uid)
      throw conflictError(
        nameOf(ref),
        key.name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
      )
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion)
      throw conflictError(nameOf(ref), key.name, modifiedMessage)
    const status = options.subresource === 'status' || options.subresource === 'approval'
    // Kinds that serve a status keep it from writers of the rest.
    const next: Stored = status
      ? {
          ...structuredClone(old),
          ...('status' in sent ? { status: sent.status } : {}),
          // Upstream's servers take annotations along: the deployment controller writes its revision so.
          metadata: {
            ...old.metadata,
            ...(sent.metadata.annotations ? { annotations: sent.metadata.annotations } : {}),
          },
        }
      : 'status' in old
        ? { ...sent, status: old.status }
        : sent
    const meta = next.metadata
    for (const field of [
      'uid',
      'creationTimestamp',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
      'generation',
    ] as const) {
      const value = old.metadata[field]
      if (value === undefined) delete meta[field]
      else Object.assign(meta, { [field]: value })
    }
    if (!status && JSON.stringify(next.spec) !== JSON.stringify(old.spec)) meta.generation = (meta.generation ?? 0) + 1
    next.apiVersion = apiVersionOf(ref)
    next.kind = ref.kind
    if (options.dryRun) return next
    if (meta.deletionTimestamp && (meta.finalizers ?? []).length === 0 && !(meta.deletionGracePeriodSeconds ?? 0)) {
      this.#remove(table, next)
      return next
    }
    return structuredClone(this.#put(table, next, old))
  }

  #delete(ref: ResourceRef, key: Key, options: DeleteOptions): void {
    const table = this.#table(ref)
    const old = this.#standing(table, key)
    const { preconditions = {} } = options
    if (preconditions.uid && preconditions.uid !== old.metadata.uid)
      throw conflictError(
        nameOf(ref),
        key.name,
        `Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${old.metadata.uid}`,
      )
    if (preconditions.resourceVersion && preconditions.resourceVersion !== old.metadata.resourceVersion)
      throw conflictError(nameOf(ref), key.name, modifiedMessage)
    if (options.dryRun) return
    const next = structuredClone(old)
    const meta = next.metadata
    const spec = next.spec as { nodeName?: string; terminationGracePeriodSeconds?: number } | undefined
    const bound = ref.plural === 'pods' && spec?.nodeName !== undefined
    const grace = bound ? (options.gracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30) : 0
    const policy = options.propagationPolicy
    const add = policy === 'Foreground' ? 'foregroundDeletion' : policy === 'Orphan' ? 'orphan' : undefined
    if (add && !meta.finalizers?.includes(add)) meta.finalizers = [...(meta.finalizers ?? []), add]
    if (grace === 0 && (meta.finalizers ?? []).length === 0) {
      this.#remove(table, next)
      return
    }
    if (meta.deletionTimestamp && grace >= (meta.deletionGracePeriodSeconds ?? 0)) return
    meta.deletionTimestamp = formatTime(this.#clock.now() + grace * 1000)
    meta.deletionGracePeriodSeconds = grace
    if (next.spec !== undefined) meta.generation = (meta.generation ?? 0) + 1
    this.#put(table, next, old)
  }

  #put(table: Table, object: Stored, before: Stored | undefined): Stored {
    object.metadata.resourceVersion = before?.metadata.resourceVersion ?? ''
    if (before && JSON.stringify(object) === JSON.stringify(before)) return before
    object.metadata.resourceVersion = String(++this.#revision)
    table.objects.set(keyOf(object), object)
    table.history.push({ revision: this.#revision, type: before ? 'MODIFIED' : 'ADDED', before, object })
    this.#wake()
    return object
  }

  #remove(table: Table, last: Stored): void {
    const before = table.objects.get(keyOf(last))
    const object = { ...last, metadata: { ...last.metadata, resourceVersion: String(++this.#revision) } }
    table.objects.delete(keyOf(last))
    table.history.push({ revision: this.#revision, type: 'DELETED', before, object })
    this.#wake()
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake()
  }
}

const nameOf = ({ group, plural }: ResourceRef) => ({ group, resource: plural })

/** The object as a scale, where its counts are where built-in kinds have them. */
function scaleOf({ metadata, spec, status }: Stored): object {
  const { replicas = 0, selector } = spec as { replicas?: number; selector?: object }
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata,
    spec: { replicas },
    status: {
      replicas: (status as { replicas?: number } | undefined)?.replicas ?? 0,
      ...(selector ? { selector: formatSelectorString(selector) } : {}),
    },
  }
}

const bookmark = <T>(revision: number, annotations?: Record<string, string>): WatchEvent<T> => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion: String(revision), ...(annotations ? { annotations } : {}) } },
})

function selection({
  namespace,
  labelSelector,
  fieldSelector,
}: ListOptions | WatchOptions): (object: Stored) => boolean {
  const labels = labelSelector ? compileSelector(labelSelector) : () => true
  const fields = fieldSelector ? compileFieldSelector(fieldSelector, readField) : () => true
  return (object) =>
    (!namespace || object.metadata.namespace === namespace) && labels(object.metadata.labels ?? {}) && fields(object)
}

function readField(object: Stored, field: string): string {
  let value: unknown = object
  for (const part of field.split('.')) value = (value as Record<string, unknown> | undefined)?.[part]
  return value === undefined || value === null ? '' : String(value)
}

/** An object that comes into or leaves a selection is added or deleted for its watchers. */
function seenThrough({ type, before, object }: Change, matches: (object: Stored) => boolean): object | undefined {
  const was = before !== undefined && matches(before)
  const is = type !== 'DELETED' && matches(object)
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object }
  return was ? { type: 'DELETED', object } : undefined
}

/** By these, lists of objects are merged where a patch is strategic. */
const mergeKeys = ['type', 'name', 'uid', 'ip', 'key', 'containerPort']

const deleteFrom = '$deleteFromPrimitiveList/'

function merged(old: unknown, patch: unknown, strategic: boolean): unknown {
  if (Array.isArray(patch) && strategic && Array.isArray(old)) return mergedList(old, patch)
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const base = typeof old === 'object' && old !== null && !Array.isArray(old) ? { ...(old as object) } : {}
  const result = base as Record<string, unknown>
  for (const [field, value] of Object.entries(patch)) {
    if (strategic && field.startsWith(deleteFrom)) {
      const name = field.slice(deleteFrom.length)
      const list = result[name]
      if (Array.isArray(list)) result[name] = list.filter((item) => !(value as unknown[]).includes(item))
    }
    if (field.startsWith('$')) continue
    if (value === null) delete result[field]
    else result[field] = merged(result[field], value, strategic)
  }
  return result
}

function mergedList(old: unknown[], patch: unknown[]): unknown[] {
  const isObject = (item: unknown): item is Record<string, unknown> => typeof item === 'object' && item !== null
  if (!patch.every(isObject)) return [...old, ...patch.filter((item) => !old.includes(item))]
  const key = mergeKeys.find((candidate) => patch.every((item) => candidate in item))
  if (!key) return patch
  const result = [...old] as Record<string, unknown>[]
  for (const item of patch) {
    const at = result.findIndex((standing) => standing[key] === item[key])
    if (item.$patch === 'delete') {
      if (at >= 0) result.splice(at, 1)
    } else if (at >= 0) result[at] = merged(result[at], item, true) as Record<string, unknown>
    else result.push(item)
  }
  return result
}
