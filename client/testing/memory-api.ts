import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import jsonPatch, { type Operation } from 'fast-json-patch'
import type { Binding, Pod } from '../../api/generated/types.ts'
import {
  alreadyExistsError,
  conflictError,
  modifiedMessage,
  notFoundError,
  StatusError,
} from '../../api/machinery/errors.ts'
import { formatSelectorString } from '../../api/machinery/labels.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { keyOf } from '../key.ts'
import { apiVersionOf, builtinRefs, pods } from '../resources.ts'
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
  SubmitOptions,
  Submittable,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../types.ts'
import { FakeClock } from './fake-clock.ts'
import { History } from './history.ts'
import { merged } from './merged.ts'
import { copyOf, frozenCopyOf } from './plain-objects.ts'
import { bookmark, type Change, type Stored, seenThrough, selection, shown, Waiting, wakeAll } from './watching.ts'

interface Table {
  ref: ResourceRef
  /** Frozen, and shared by all who follow the kind. */
  objects: Map<string, Stored>
  history: History<Change>
  /** Those who wait for the next change. */
  wakers: Set<() => void>
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
  /** Whether `calls` is kept; it grows without end. Default: yes. */
  keepsCalls?: boolean
  /** How many changes of each kind are remembered for watches; who is further behind is refused with 410. */
  historySize?: number
  /** Between two rounds of bookmarks. Default: one follows everything that happens. */
  bookmarkEveryMs?: number
}

const defaultHistorySize = 10_000

/**
 * An API server in memory for unit tests: versions and conflicts, uids, generated names, generations, status apart from
 * the rest, finalizers and graceful deletion, selectors, watches with bookmarks. It defaults, validates and authorizes
 * nothing, and propagation of deletes is left to the garbage collector. What it tells its watchers and lists is shared by all of
 * them: beside `metadata` itself it cannot be changed.
 */
export class MemoryApi implements Api {
  /** Every call made, in order. */
  readonly calls: Call[] = []
  readonly #tables = new Map<string, Table>()
  readonly #clock: Clock
  readonly #options: MemoryApiOptions
  /** Those who wait for anything at all, to be told with a bookmark how far they are. */
  readonly #bookmarkWakers = new Set<() => void>()
  /** Replaceable by the test at any time. */
  fault: ((call: Call) => void | Promise<void>) | undefined
  /** What subresources such as binding answer, by `plural/subresource`. */
  readonly posts = new Map<string, (key: Key, body: object) => unknown>()
  /** What paths that are no objects answer to {@link read}. */
  readonly paths = new Map<string, (query: Record<string, string>) => unknown>()
  #revision = 1
  #compactedTo = 0
  /** Everybody is to be told that it has come so far. */
  #bookmark = 0
  #bookmarkedAt = Number.NEGATIVE_INFINITY
  #isBookmarkUnderWay = false

  constructor(options: MemoryApiOptions = {}) {
    this.#clock = options.clock ?? new FakeClock()
    this.#options = options
    this.fault = options.fault
    this.posts.set('pods/binding', (key, body) => this.#bind(key, body as Binding))
  }

  /** All objects of the kind as they stand, for a test to look at. */
  objects<T>(ref: ResourceRef<T>): Live<T>[] {
    return [...this.#table(ref).objects.values()].map((object) => copyOf(object) as Live<T>)
  }

  /** Changes an object as some other client would: status and all, without a version. */
  edit<T>(ref: ResourceRef<T>, key: Key, change: (object: Live<T>) => void): Live<T> {
    const table = this.#table(ref)
    const standing = this.#standing(table, key)
    const object = copyOf(standing) as Live<T>
    change(object)
    return copyOf(this.#put(table, object as Stored, standing)) as Live<T>
  }

  /** Ends all watches, as a server that goes away does. */
  endWatches(): void {
    this.#ended++
    for (const { wakers } of this.#tables.values()) wakeAll(wakers)
  }
  #ended = 0

  /** Forgets what was: watches from before now are refused with 410. */
  compact(): void {
    this.#compactedTo = this.#revision
    for (const { history } of this.#tables.values()) history.forgetAll()
  }

  async get<T>(ref: ResourceRef<T>, key: Key, { subresource }: GetOptions = {}): Promise<Live<T>> {
    await this.#enter('get', ref, key, subresource)
    const standing = copyOf(this.#standing(this.#table(ref), key))
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
      items: page.map((object) => shown(object) as Live<T>),
    }
  }

  async *watch<T>(ref: ResourceRef<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    await this.#enter('watch', ref, { namespace: options.namespace, name: '' })
    const { history, objects, wakers } = this.#table(ref)
    const matches = selection(options)
    const { signal, allowWatchBookmarks = false } = options
    const ended = this.#ended
    let after = Number(options.resourceVersion || 0)
    if (after === 0 || options.sendInitialEvents) {
      const now = this.#revision
      for (const object of [...objects.values()].filter(matches))
        yield { type: 'ADDED', object: shown(object) as Live<T> }
      after = now
      if (options.sendInitialEvents) yield bookmark(after, { 'k8s.io/initial-events-end': 'true' })
    }
    let place = history.after(after)
    const wait = new Waiting(signal, [wakers, ...(allowWatchBookmarks ? [this.#bookmarkWakers] : [])])
    try {
      for (;;) {
        // What came meanwhile may have been forgotten at once: then it is gone, and no bookmark may pass over it.
        const forgottenTo = Math.max(this.#compactedTo, history.forgottenTo)
        if (after < forgottenTo)
          throw new StatusError(410, 'Expired', `too old resource version: ${after} (${forgottenTo})`)
        if (place < history.end) {
          const change = history.at(place++) as Change
          const event = seenThrough(change, matches)
          if (event) yield event as WatchEvent<T>
          after = change.revision
          continue
        }
        if (signal?.aborted) throw signal.reason
        if (this.#ended !== ended) return
        if (allowWatchBookmarks && after < this.#bookmark) {
          after = this.#revision
          yield bookmark(after)
          continue
        }
        await wait.forNext()
      }
    } finally {
      wait.end()
    }
  }

  async create<T>(ref: ResourceRef<T>, object: T, options: WriteOptions = {}): Promise<Live<T>> {
    const sent = object as unknown as Stored
    const meta = { ...sent.metadata }
    const made: Stored = { ...sent, metadata: meta }
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
    if (options.dryRun) return copyOf(made) as Live<T>
    return copyOf(this.#put(table, made, undefined)) as Live<T>
  }

  async update<T>(ref: ResourceRef<T>, object: T, options: WriteOptions = {}): Promise<Live<T>> {
    const sent = frozenCopyOf(object) as unknown as Stored
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
        return jsonPatch.applyPatch(copyOf(old), patch.body as Operation[]).newDocument as Stored
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

  async submit(ref: ResourceRef, object: Submittable, { subresource }: SubmitOptions = {}) {
    if (!subresource) return (await this.create<unknown>(ref, object)).metadata
    await this.post(ref, { ...object.metadata, name: object.metadata?.name ?? '' }, subresource, object)
    return {}
  }

  async discover(): Promise<{ resources: ServedResource[]; incomplete: string[] }> {
    const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
    return { resources: builtinRefs().map((ref) => ({ ...ref, verbs })), incomplete: [] }
  }

  async #enter(verb: Call['verb'], ref: ResourceRef, key: Key, subresource?: string): Promise<void> {
    const { keepsCalls = true } = this.#options
    if (!keepsCalls && !this.fault) return
    const call = {
      verb,
      resource: ref.plural,
      key: keyOf({ metadata: { name: key.name, ...(key.namespace ? { namespace: key.namespace } : {}) } }),
      ...(subresource ? { subresource } : {}),
    }
    if (keepsCalls) this.calls.push(call)
    await this.fault?.(call)
  }

  #table(ref: ResourceRef): Table {
    const name = `${ref.group}/${ref.plural}`
    let table = this.#tables.get(name)
    if (!table) {
      const history = new History<Change>(this.#options.historySize ?? defaultHistorySize)
      table = { ref, objects: new Map(), history, wakers: new Set() }
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
    const sent = make(old)
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
          ...old,
          ...('status' in sent ? { status: sent.status } : {}),
          // Upstream's servers take annotations along: the deployment controller writes its revision so.
          metadata: {
            ...old.metadata,
            ...(sent.metadata.annotations ? { annotations: sent.metadata.annotations } : {}),
          },
        }
      : 'status' in old
        ? { ...sent, status: old.status, metadata: { ...sent.metadata } }
        : { ...sent, metadata: { ...sent.metadata } }
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
    if (!status && !isDeepStrictEqual(frozenCopyOf(next.spec), old.spec)) meta.generation = (meta.generation ?? 0) + 1
    next.apiVersion = apiVersionOf(ref)
    next.kind = ref.kind
    if (options.dryRun) return copyOf(next)
    if (meta.deletionTimestamp && (meta.finalizers ?? []).length === 0 && !(meta.deletionGracePeriodSeconds ?? 0)) {
      this.#remove(table, next)
      return copyOf(next)
    }
    return copyOf(this.#put(table, next, old))
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
    const meta = { ...old.metadata }
    const next: Stored = { ...old, metadata: meta }
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

  /** As the real server does it: for the pod that is meant, once, and only while it stays. */
  #bind(key: Key, { metadata, target }: Binding): object {
    const table = this.#table(pods)
    const pod = this.#standing(table, key) as Live<Pod> & Stored
    const refuse = (why: string) => conflictError({ group: '', resource: 'pods/binding' }, key.name, why)
    const { uid, deletionTimestamp } = pod.metadata
    if (metadata?.uid && metadata.uid !== uid)
      throw refuse(`Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${uid}`)
    if (deletionTimestamp) throw refuse(`pod ${key.name} is being deleted, cannot be assigned to a host`)
    const { nodeName } = pod.spec ?? {}
    if (nodeName) throw refuse(`pod ${key.name} is already assigned to node ${JSON.stringify(nodeName)}`)
    this.#put(table, { ...pod, spec: { ...pod.spec, nodeName: target.name } }, pod)
    return { kind: 'Status', status: 'Success' }
  }

  #put(table: Table, sent: Stored, before: Stored | undefined): Stored {
    const at = (resourceVersion: string) => frozenCopyOf({ ...sent, metadata: { ...sent.metadata, resourceVersion } })
    if (before && isDeepStrictEqual(at(before.metadata.resourceVersion ?? ''), before)) return before
    const object = at(String(++this.#revision))
    table.objects.set(keyOf(object), object)
    this.#happened(table, { revision: this.#revision, type: before ? 'MODIFIED' : 'ADDED', before, object })
    return object
  }

  #remove(table: Table, last: Stored): void {
    const before = table.objects.get(keyOf(last))
    const metadata = { ...last.metadata, resourceVersion: String(++this.#revision) }
    table.objects.delete(keyOf(last))
    this.#happened(table, {
      revision: this.#revision,
      type: 'DELETED',
      before,
      object: frozenCopyOf({ ...last, metadata }),
    })
  }

  #happened({ history, wakers }: Table, change: Change): void {
    history.add(change)
    wakeAll(wakers)
    if (this.#bookmarkWakers.size > 0) this.#bookmarkSoon()
  }

  #bookmarkSoon(): void {
    const { bookmarkEveryMs = 0 } = this.#options
    if (this.#isBookmarkUnderWay || this.#clock.now() - this.#bookmarkedAt < bookmarkEveryMs) return
    this.#isBookmarkUnderWay = true
    // One for all that happens together.
    setImmediate(() => {
      this.#isBookmarkUnderWay = false
      this.#bookmarkedAt = this.#clock.now()
      this.#bookmark = this.#revision
      wakeAll(this.#bookmarkWakers)
    })
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
