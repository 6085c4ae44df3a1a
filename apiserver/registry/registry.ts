import { randomUUID } from 'node:crypto'
import type { DeleteOptions } from '../../api/generated/types.ts'
import {
  alreadyExistsError,
  badRequestError,
  conflictError,
  type GroupResource,
  invalidError,
  modifiedMessage,
  notFoundError,
  StatusError,
} from '../../api/machinery/errors.ts'
import type { FieldError } from '../../api/machinery/field-errors.ts'
import { generateName } from '../../api/machinery/generate-name.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../../api/machinery/meta-validation.ts'
import { nameIsDNSSubdomain } from '../../api/machinery/names.ts'
import { type AnyObject, apiVersionOf } from '../../api/machinery/object.ts'
import type { RequestContext, Resource } from '../../api/machinery/resource.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { AdmissionChain } from '../admission/chain.ts'
import type { AdmissionAttributes } from '../admission/types.ts'
import { keepTimesIfUnchanged, recordUpdate } from '../patch/managed-fields.ts'
import { resetFieldsOf } from '../patch/reset-fields.ts'
import { toVersionOf } from '../patch/versions.ts'
import { type Change, Conflict, type Entry, type Revision, type Store } from '../storage/store.ts'
import type { AmendingCommitter, Amendment } from './amendments.ts'
import { storeKey } from './codec.ts'
import { conflictingFinalizers, type DeletionStep, planDeletion, validateDeleteOptions } from './deletion.ts'
import type { StoreFeed } from './feed.ts'
import {
  checkIdentity,
  checkName,
  keepAllButStatus,
  keepStatus,
  keepSystemMetadata,
  matchNamespace,
  raiseGeneration,
  sameObject,
  startStatus,
} from './object-rules.ts'
import { CachedObject, type WatchCache } from './watch-cache.ts'
import {
  authorOf,
  type PreparedWrite,
  type RegistryDependencies,
  type RegistryHooks,
  type WriteOptions,
  type Written,
} from './write.ts'

const maxAttempts = 64
const maxNameAttempts = 8
/** The generic REST storage that every kind is served by: one of these for each kind. */
export class Registry {
  readonly resource: Resource
  readonly cache: WatchCache
  readonly of: GroupResource
  readonly hooks: RegistryHooks
  readonly #store: Store
  readonly #committer: AmendingCommitter
  readonly #feed: StoreFeed
  readonly #admission: AdmissionChain
  readonly #apiVersion: string

  constructor(cache: WatchCache, dependencies: RegistryDependencies, hooks: RegistryHooks = {}) {
    this.cache = cache
    this.resource = cache.resource
    this.of = { group: this.resource.group, resource: this.resource.plural }
    this.hooks = hooks
    this.#store = dependencies.store
    this.#committer = dependencies.committer
    this.#feed = dependencies.feed
    this.#admission = dependencies.admission
    this.#apiVersion = apiVersionOf(this.resource.group, this.resource.version)
  }

  key(namespace: string, name: string): string {
    return storeKey(this.resource, namespace, name)
  }

  /** Linearizable unless `fromCache`. Throws 404. */
  async get(namespace: string, name: string, fromCache = false): Promise<CachedObject> {
    if (!fromCache && !(await this.#feed.catchUp())) {
      // The watch lags; the store itself still answers.
      const entry = await this.#store.get(this.key(namespace, name))
      if (!entry) throw notFoundError(this.of, name)
      return this.#fromEntry(entry)
    }
    const found = this.cache.get(this.key(namespace, name))
    if (!found) throw notFoundError(this.of, name)
    return found
  }

  async create(namespace: string, object: AnyObject, options: WriteOptions): Promise<Written> {
    const base = object.metadata.generateName
    const generated = !object.metadata.name && !!base
    for (let attempt = 1; ; attempt++) {
      if (generated) object.metadata.name = generateName(base)
      // Another try starts from what was asked for: what was chosen and is taken must not look like a wish.
      const candidate = generated || this.hooks.allocate ? structuredClone(object) : object
      const write = await this.prepareCreate(namespace, candidate, options)
      try {
        return write.finish(await this.#commit(write, options))
      } catch (error) {
        if (!(error instanceof Conflict)) throw error
        if (error.key !== write.key) {
          // An address or port was taken in the meantime: choose another.
          if (attempt < maxAttempts) continue
          throw error
        }
        if (generated && attempt < maxNameAttempts) continue
        throw this.#alreadyExists(candidate.metadata.name ?? '', error.entry)
      }
    }
  }

  /** All of a create but the commit. What is sent is decoded and defaulted; it is changed. */
  async prepareCreate(namespace: string, sent: AnyObject, options: WriteOptions): Promise<PreparedWrite> {
    const { resource } = this
    const object = resource.convert ? await this.#toStorage(sent) : sent
    const meta = object.metadata
    matchNamespace(this.resource, namespace, meta)
    if (!meta.name && meta.generateName) meta.name = generateName(meta.generateName)
    const name = meta.name ?? ''
    if (meta.resourceVersion) throw badRequestError('resourceVersion should not be set on objects to be created')
    meta.uid = randomUUID()
    meta.creationTimestamp = formatTime(options.nowMs)
    delete meta.resourceVersion
    delete meta.deletionTimestamp
    delete meta.deletionGracePeriodSeconds
    delete meta.selfLink

    // Who wrote what is recorded before anybody else adds to it: what defaults and admission set is nobody's.
    if (!options.track) this.#record(object, undefined, options)
    const amendments: Amendment[] = []
    const attributes = this.#attributes('CREATE', namespace, name, object, undefined, options, amendments)
    await this.#admission.admit(attributes)

    const { strategy } = resource
    const ctx = requestContext(options)
    if (strategy.generation) meta.generation = 1
    else delete meta.generation
    if (strategy.status && !strategy.statusOnCreate) startStatus(resource, object)
    strategy.prepareForCreate?.(object, ctx)
    if (strategy.finalizers) meta.finalizers = [...new Set([...(meta.finalizers ?? []), ...strategy.finalizers])]

    const errors = [
      ...validateObjectMeta(meta, {
        namespaced: resource.namespaced,
        validateName: resource.validateName ?? nameIsDNSSubdomain,
        path: 'metadata',
      }),
      ...conflictingFinalizers(meta.finalizers),
      ...(resource.validate?.(object, undefined, ctx) ?? []),
    ]
    if (errors.length > 0) throw invalidError(resource, name, errors)
    for (const warning of resource.warnings?.(object, undefined) ?? []) options.warn(warning)
    await this.#admission.validate(attributes)
    const extra = (await this.hooks.allocate?.(object, undefined, options)) ?? []
    options.track?.(object, undefined)

    const key = this.key(namespace, name)
    const encoded = this.cache.codec.encode(object)
    const change: Change = {
      key,
      expect: 'absent',
      value: encoded,
      ...(resource.ttlSeconds ? { ttlSeconds: resource.ttlSeconds } : {}),
    }
    return this.#prepared(key, [change, ...extra], object, encoded, 'created', amendments)
  }

  /**
   * Reads, changes and writes until nobody else did in between. `change` gets a copy of its own and returns the new
   * object, decoded and defaulted. With `createAbsent`, a missing object is created from what `change(undefined)` gives.
   */
  async update(
    namespace: string,
    name: string,
    change: (current: AnyObject | undefined) => AnyObject | Promise<AnyObject>,
    options: WriteOptions,
    createAbsent = false,
  ): Promise<Written> {
    const key = this.key(namespace, name)
    let current = this.cache.get(key)
    let fresh = false
    for (let attempt = 1; ; attempt++) {
      try {
        if (!current) {
          if (fresh && createAbsent) return await this.#createOnUpdate(namespace, name, change, options)
          throw notFoundError(this.of, name)
        }
        const write = await this.prepareUpdate(namespace, name, current, change, options)
        if (write.changes.length === 0 && !fresh) {
          fresh = true
          const newer = await this.#newerThan(current)
          if (newer !== current) {
            current = newer
            continue
          }
        }
        return write.finish(await this.#commit(write, options))
      } catch (error) {
        if (error instanceof Conflict && attempt < maxAttempts) {
          if (error.key === key) current = error.entry ? this.#fromEntry(error.entry) : undefined
          fresh = true
          continue
        }
        if (error instanceof Conflict) throw conflictError(this.of, name, modifiedMessage)
        if (fresh) throw error
        // The refusal may rest on a cache that lags: ask the store before believing it.
        const entry = await this.#store.get(key)
        fresh = true
        if (entry?.modRevision === current?.revision && !(createAbsent && !entry)) throw error
        current = entry ? this.#fromEntry(entry) : undefined
      }
    }
  }

  /** All of an update but the commit. */
  async prepareUpdate(
    namespace: string,
    name: string,
    current: CachedObject,
    change: (current: AnyObject) => AnyObject | Promise<AnyObject>,
    options: WriteOptions,
  ): Promise<PreparedWrite> {
    const { resource } = this
    const old = resource.convert ? await this.#toStorage(parse(current)) : parse(current)
    let object = await change(resource.convert ? structuredClone(old) : parse(current))
    if (resource.convert) object = await this.#toStorage(object)
    matchNamespace(this.resource, namespace, object.metadata)
    checkIdentity(this.resource, name, object, old)
    const { rules, subresource = '' } = options
    if (rules?.merge) object = rules.merge(object, old, options.nowMs)
    keepSystemMetadata(object.metadata, old.metadata)
    if (subresource === 'status') keepAllButStatus(object, old)
    else if (!rules && resource.strategy.status) keepStatus(object, old)

    if (!options.track) this.#record(object, old, options)
    const amendments: Amendment[] = []
    const attributes = this.#attributes('UPDATE', namespace, name, object, old, options, amendments)
    if (!options.isAdmitted) await this.#admission.admit(attributes)

    const ctx = requestContext(options)
    const { strategy } = resource
    if (!rules) {
      if (subresource === 'status') strategy.prepareForStatusUpdate?.(object, old, ctx)
      else strategy.prepareForUpdate?.(object, old, ctx)
    }
    if (subresource !== 'status' && (!rules || rules.generation)) raiseGeneration(this.resource, object, old)
    const errors = [
      ...validateObjectMetaUpdate(object.metadata, old.metadata, 'metadata'),
      ...conflictingFinalizers(object.metadata.finalizers),
      ...this.#updateFaults(object, old, ctx, options),
    ]
    if (errors.length > 0) throw invalidError(resource, name, errors)
    if (subresource === '' && !rules) {
      for (const warning of resource.warnings?.(object, old) ?? []) options.warn(warning)
    }
    if (!options.isAdmitted) await this.#admission.validate(attributes)
    const extra = (await this.hooks.allocate?.(object, old, options)) ?? []
    if (options.track) options.track(object, old)
    else keepTimesIfUnchanged(object, old)

    if (this.#deletionIsComplete(object, old)) {
      const release = (await this.hooks.release?.(old)) ?? []
      const removal: Change = { key: current.key, expect: current.revision, value: null }
      const encoded = this.cache.codec.encode(object)
      return this.#prepared(current.key, [removal, ...extra, ...release], object, encoded, 'deleted')
    }
    const encoded = this.cache.codec.encode(object)
    if (extra.length === 0 && sameObject(object, old) && !this.cache.codec.isOutdated(current.bytes)) {
      return {
        resource,
        key: current.key,
        changes: [],
        amendments: [],
        finish: () => ({ object: old, bytes: current.bytes, outcome: 'unchanged' }),
      }
    }
    const write: Change = {
      key: current.key,
      expect: current.revision,
      value: encoded,
      ...(resource.ttlSeconds ? { ttlSeconds: resource.ttlSeconds } : {}),
    }
    return this.#prepared(current.key, [write, ...extra], object, encoded, 'updated', amendments)
  }

  /** Throws 404, 409 for preconditions, 422 for options that make no sense. */
  async delete(namespace: string, name: string, deletion: DeleteOptions, options: WriteOptions): Promise<Written> {
    const errors = validateDeleteOptions(deletion)
    if (errors.length > 0) throw invalidError({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors)
    const key = this.key(namespace, name)
    let current = this.cache.get(key)
    let fresh = false
    for (let attempt = 1; ; attempt++) {
      try {
        if (!current) throw notFoundError(this.of, name)
        const write = await this.prepareDelete(namespace, name, current, deletion, options)
        if (write.changes.length === 0 && !fresh) {
          fresh = true
          const newer = await this.#newerThan(current)
          if (newer !== current) {
            current = newer
            continue
          }
        }
        return write.finish(await this.#commit(write, options))
      } catch (error) {
        if (error instanceof Conflict && attempt < maxAttempts) {
          if (error.key === key) current = error.entry ? this.#fromEntry(error.entry) : undefined
          fresh = true
          continue
        }
        if (error instanceof Conflict) throw conflictError(this.of, name, modifiedMessage)
        if (fresh) throw error
        const entry = await this.#store.get(key)
        fresh = true
        if (entry?.modRevision === current?.revision) throw error
        current = entry ? this.#fromEntry(entry) : undefined
      }
    }
  }

  /** All of a delete but the commit. */
  async prepareDelete(
    namespace: string,
    name: string,
    current: CachedObject,
    deletion: DeleteOptions,
    options: WriteOptions,
  ): Promise<PreparedWrite> {
    const old = this.resource.convert ? await this.#toStorage(parse(current)) : parse(current)
    await this.#admission.run(this.#attributes('DELETE', namespace, name, undefined, old, options))
    const plan = this.#planDeletion(structuredClone(old), deletion, options.nowMs)
    if (plan.step === 'pending') {
      return {
        resource: this.resource,
        key: current.key,
        changes: [],
        amendments: [],
        finish: () => ({ object: old, bytes: current.bytes, outcome: 'marked' }),
      }
    }
    if (plan.step === 'mark') {
      const encoded = this.cache.codec.encode(plan.object)
      const mark: Change = { key: current.key, expect: current.revision, value: encoded }
      return this.#prepared(current.key, [mark], plan.object, encoded, 'marked')
    }
    const release = (await this.hooks.release?.(old)) ?? []
    const removal: Change = { key: current.key, expect: current.revision, value: null }
    const { object } = plan
    return this.#prepared(current.key, [removal, ...release], object, this.cache.codec.encode(object), 'deleted')
  }

  /** An object of any version in the one that is stored, where only somebody outside can bring it there. */
  async #toStorage(object: AnyObject): Promise<AnyObject> {
    const [stored] = (await this.resource.convert?.([object], this.#apiVersion)) ?? []
    return stored ?? object
  }

  #planDeletion(object: AnyObject, deletion: DeleteOptions, nowMs: number): DeletionStep {
    const plan = planDeletion(this.resource, object, deletion, nowMs)
    if (plan.step !== 'remove' || !this.hooks.holdsDeletion?.(object)) {
      if (plan.step === 'mark') this.hooks.markDeleting?.(plan.object)
      return plan
    }
    object.metadata.deletionTimestamp ??= formatTime(nowMs)
    this.hooks.markDeleting?.(object)
    return { step: 'mark', object }
  }

  async #createOnUpdate(
    namespace: string,
    name: string,
    change: (current: AnyObject | undefined) => AnyObject | Promise<AnyObject>,
    options: WriteOptions,
  ): Promise<Written> {
    const object = await change(undefined)
    checkName(name, object.metadata)
    // A version or uid in the request means: that very object. It is not there.
    if (object.metadata.resourceVersion && object.metadata.resourceVersion !== '0') throw notFoundError(this.of, name)
    delete object.metadata.resourceVersion
    const write = await this.prepareCreate(namespace, object, options)
    return write.finish(await this.#commit(write, options))
  }

  /** In a dry run nothing is written, but a conflict is still found. */
  async #commit(write: PreparedWrite, options: WriteOptions): Promise<Revision> {
    if (write.changes.length === 0) return this.#feed.revision
    return this.#committer.commit(write.changes, write.amendments, options.dryRun, authorOf(options))
  }

  #prepared(
    key: string,
    changes: Change[],
    object: AnyObject,
    encoded: Buffer,
    outcome: Written['outcome'],
    amendments: readonly Amendment[] = [],
  ): PreparedWrite {
    const { codec } = this.cache
    return {
      resource: this.resource,
      key,
      changes,
      amendments,
      finish: (revision) => {
        if (revision === 0) {
          // A dry run has no version of its own.
          if (outcome === 'created') delete object.metadata.resourceVersion
          object.apiVersion = this.#apiVersion
          object.kind = this.resource.kind
          return { object, bytes: Buffer.from(JSON.stringify(object)), outcome }
        }
        object.metadata.resourceVersion = String(revision)
        return { object, bytes: codec.splice(encoded, revision), outcome }
      },
    }
  }

  #attributes(
    operation: AdmissionAttributes['operation'],
    namespace: string,
    name: string,
    object: AnyObject | undefined,
    old: AnyObject | undefined,
    options: WriteOptions,
    amendments?: Amendment[],
  ): AdmissionAttributes {
    return {
      operation,
      resource: this.resource,
      subresource: options.subresource ?? '',
      namespace,
      name,
      ...(object ? { object } : {}),
      ...(old ? { old } : {}),
      user: options.user,
      dryRun: options.dryRun,
      ...(options.apiVersion ? { apiVersion: options.apiVersion } : {}),
      warn: options.warn,
      ...(amendments ? { amend: (amendment) => void amendments.push(amendment) } : {}),
    }
  }

  #updateFaults(
    object: AnyObject,
    old: AnyObject,
    ctx: RequestContext,
    { rules, subresource }: WriteOptions,
  ): FieldError[] {
    if (rules && !rules.validatesKind) return rules.validate?.(object, old) ?? []
    const validate = subresource === 'status' ? this.resource.validateStatus : this.resource.validate
    return validate?.(object, old, ctx) ?? []
  }

  #record(object: AnyObject, old: AnyObject | undefined, options: WriteOptions): void {
    recordUpdate({
      old,
      new: object,
      schema: this.resource.schema,
      manager: options.fieldManager,
      apiVersion: options.apiVersion ?? this.#apiVersion,
      objectVersion: this.#apiVersion,
      subresource: options.subresource ?? '',
      nowMs: options.nowMs,
      resetFields: resetFieldsOf(this.resource, options.subresource ?? ''),
      toVersion: toVersionOf(this.resource),
    })
  }

  #deletionIsComplete({ metadata: meta, ...rest }: AnyObject, old: AnyObject): boolean {
    if (old.metadata.deletionTimestamp === undefined) return false
    if ((meta.finalizers?.length ?? 0) > 0 || (old.metadata.deletionGracePeriodSeconds ?? 0) > 0) return false
    // Nothing held it before either: then something else does, and this write is not what ends it.
    if ((old.metadata.finalizers?.length ?? 0) === 0 && !this.hooks.holdsDeletion?.(old)) return false
    return !this.hooks.holdsDeletion?.({ metadata: meta, ...rest })
  }

  #alreadyExists(name: string, standing: Entry | undefined): StatusError {
    const error = alreadyExistsError(this.of, name)
    if (!standing) return error
    const deleting = this.cache.codec.decode(standing.value, standing.modRevision).metadata.deletionTimestamp
    return deleting === undefined
      ? error
      : new StatusError(error.code, error.reason, `object is being deleted: ${error.message}`, error.details)
  }

  /**
   * The object as it stands. That there is nothing to do is an answer like a refusal: a cache that lags must not give
   * it, or a write that takes back what another server has just changed would be lost.
   */
  async #newerThan(known: CachedObject): Promise<CachedObject | undefined> {
    const entry = await this.#store.get(known.key)
    if (entry?.modRevision === known.revision) return known
    return entry && this.#fromEntry(entry)
  }

  #fromEntry(entry: Entry): CachedObject {
    return new CachedObject(entry.key, entry.modRevision, this.cache.codec.splice(entry.value, entry.modRevision))
  }
}

function parse(cached: CachedObject): AnyObject {
  return JSON.parse(cached.bytes.toString()) as AnyObject
}

function requestContext(options: WriteOptions): RequestContext {
  const { nowMs, user, subresource = '', dryRun, apiVersion } = options
  return { nowMs, user, subresource, dryRun, ...(apiVersion ? { apiVersion } : {}) }
}
