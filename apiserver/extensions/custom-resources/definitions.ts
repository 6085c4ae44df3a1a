import { setTimeout as delay } from 'node:timers/promises'
import { customResourceCleanupFinalizer, isConditionTrue, withCondition } from '../../../api/apiextensions/index.ts'
import { someSchema } from '../../../api/apiextensions/schema-walk.ts'
import type { CustomResourceDefinition } from '../../../api/generated/types.ts'
import type { Stored } from '../../../api/machinery/object.ts'
import type { RegistryHooks } from '../../registry/write.ts'
import type { Extensions, ServerCore } from '../../server.ts'
import { createWebhookCaller, type WebhookCaller } from '../webhooks/call.ts'
import { decideNames } from './accepted-names.ts'
import { deleteInstances } from './instances.ts'

type Definition = Stored<CustomResourceDefinition>

/** What of a definition is served, and whether nothing new may be created any more. */
interface Served {
  /** What decides how it is served; another text means: serve it anew. */
  key: string
  group: string
  plural: string
  isTerminating: boolean
}

const again = { firstMs: 200, atMostMs: 30_000 }

/** A definition stays, although deleted, until its objects are gone. */
export const definitionHooks: RegistryHooks = {
  holdsDeletion: ({ metadata }) => metadata.deletionTimestamp === undefined,
  markDeleting(object) {
    const definition = object as unknown as Definition
    if (isTerminating(definition)) return
    const { metadata, status } = definition
    metadata.finalizers = [...new Set([...(metadata.finalizers ?? []), customResourceCleanupFinalizer])]
    const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon'
    const pending = { type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending', message }
    const nowMs = Date.parse(metadata.deletionTimestamp ?? '')
    definition.status = { ...status, conditions: withCondition(status?.conditions, pending, nowMs) }
  },
}

const isTerminating = (definition: Definition): boolean =>
  definition.status?.conditions?.some(({ type }) => type === 'Terminating') ?? false

/**
 * Follows the definitions of custom resources, on every API server: grants them their names, serves what they define,
 * says so, and takes their objects away when they are deleted. One is worked on at a time.
 */
export class Definitions implements Extensions {
  readonly #core: ServerCore
  readonly #onError: (error: unknown, what: string) => void
  readonly #dirty = new Set<string>()
  readonly #served = new Map<string, Served>()
  /** Deletions of objects that are under way. */
  readonly #ending = new Map<string, Promise<void>>()
  readonly #failures = new Map<string, number>()
  readonly #abort = new AbortController()
  #caller: WebhookCaller | undefined
  #working: Promise<void> | undefined
  #unsubscribe: (() => void) | undefined

  constructor(core: ServerCore, onError: (error: unknown, what: string) => void) {
    this.#core = core
    this.#onError = onError
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#core.client.onChange<Definition>(this.#kind, ({ object }) =>
      this.#touch(object.metadata.name ?? ''),
    )
    await this.settle()
  }

  async settle(): Promise<void> {
    while (this.#working) await this.#working
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.()
    this.#abort.abort()
    await Promise.all([this.#working, ...this.#ending.values()])
  }

  get #kind() {
    return this.#core.lookup('apiextensions.k8s.io', 'customresourcedefinitions')
  }

  #touch(name: string): void {
    if (this.#abort.signal.aborted) return
    this.#dirty.add(name)
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  async #work(): Promise<void> {
    for (const name of this.#dirty) {
      if (this.#abort.signal.aborted) return
      this.#dirty.delete(name)
      try {
        await this.#sync(name)
        this.#failures.delete(name)
      } catch (error) {
        this.#fail(name, error)
      }
    }
  }

  /** Tries again later, the later the more often it has failed. */
  #fail(name: string, error: unknown): void {
    if (this.#abort.signal.aborted) return
    const failures = this.#failures.get(name) ?? 0
    this.#failures.set(name, failures + 1)
    this.#onError(error, `serving what the definition ${name} defines`)
    setTimeout(() => this.#touch(name), Math.min(again.firstMs * 2 ** failures, again.atMostMs)).unref()
  }

  async #sync(name: string): Promise<void> {
    const { client, now } = this.#core
    const definition = client.cached<Definition>(this.#kind, '', name)
    if (!definition) {
      this.#unserve(name)
      this.#touchGroup(name.slice(name.indexOf('.') + 1), name)
      return
    }
    const names = decideNames(definition, this.#othersOf(name), now())
    if (names) {
      await this.#write(name, (current) => ({
        ...current,
        ...statusOr(decideNames(current, this.#othersOf(name), now())),
      }))
      this.#touchGroup(definition.spec.group, name)
      return
    }
    if (isConditionTrue(definition, 'NamesAccepted') || isConditionTrue(definition, 'Established')) {
      await this.#serve(name, definition)
      if (!isConditionTrue(definition, 'Established')) {
        const message = 'the initial names have been accepted'
        await this.#tell(name, { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message })
      }
    } else this.#unserve(name)
    if (
      definition.metadata.deletionTimestamp &&
      definition.metadata.finalizers?.includes(customResourceCleanupFinalizer)
    ) {
      this.#end(name)
    }
  }

  #othersOf(name: string): Definition[] {
    return this.#core.client.cachedList<Definition>(this.#kind, '').filter(({ metadata }) => metadata.name !== name)
  }

  /** Names may have become free. */
  #touchGroup(group: string, except: string): void {
    for (const { metadata, spec } of this.#othersOf(except)) {
      if (spec.group === group && metadata.name) this.#touch(metadata.name)
    }
  }

  async #serve(name: string, definition: Definition): Promise<void> {
    const { metadata, spec, status } = definition
    const { group } = spec
    const { plural } = spec.names
    const key = JSON.stringify([metadata.uid, spec, status?.acceptedNames])
    const standing = this.#served.get(name)
    if (standing) standing.isTerminating = metadata.deletionTimestamp !== undefined
    if (standing?.key === key) return
    // A kind of the server's own is not given away.
    if (!standing && this.#core.kinds.find(group, plural)) return
    const served = { key, group, plural, isTerminating: metadata.deletionTimestamp !== undefined }
    const { customResource } = await import('./custom-resource.ts')
    const { client, lookup } = this.#core
    this.#caller ??= createWebhookCaller(client, lookup)
    const compileRules = hasRules(definition) ? (await import('./rules.ts')).compileRules : undefined
    const options = { compileRules, isTerminating: () => served.isTerminating, caller: this.#caller }
    await this.#core.kinds.put(customResource(definition, options))
    this.#served.set(name, served)
  }

  #unserve(name: string): void {
    const served = this.#served.get(name)
    if (!served) return
    this.#served.delete(name)
    this.#core.kinds.remove(served.group, served.plural)
  }

  /** Deletes the objects and then lets the definition go; goes on beside all else. */
  #end(name: string): void {
    if (this.#ending.has(name)) return
    const ending = this.#deleteAll(name)
      .catch((error: unknown) => this.#fail(name, error))
      .finally(() => this.#ending.delete(name))
    this.#ending.set(name, ending)
  }

  async #deleteAll(name: string): Promise<void> {
    const { feed, kinds, now } = this.#core
    const served = this.#served.get(name)
    const registry = served && kinds.find(served.group, served.plural)
    if (!registry) {
      const message = 'resource was never established'
      await this.#letGo(name, { type: 'Terminating', status: 'False', reason: 'NeverEstablished', message })
      return
    }
    const message = 'CustomResource deletion is in progress'
    await this.#tell(name, { type: 'Terminating', status: 'True', reason: 'InstanceDeletionInProgress', message })
    const { done, ...condition } = await deleteInstances(registry, feed, now, this.#abort.signal)
    if (done) {
      await this.#letGo(name, condition)
      return
    }
    await this.#tell(name, condition)
    await delay(again.firstMs, undefined, { signal: this.#abort.signal })
    this.#touch(name)
  }

  async #letGo(name: string, condition: Parameters<typeof withCondition>[1]): Promise<void> {
    await this.#write(name, (current) => {
      const finalizers = current.metadata.finalizers?.filter((each) => each !== customResourceCleanupFinalizer)
      const conditions = withCondition(current.status?.conditions, condition, this.#core.now())
      return {
        ...current,
        metadata: { ...current.metadata, finalizers },
        status: { ...current.status, conditions },
      } as Definition
    })
  }

  async #tell(name: string, condition: Parameters<typeof withCondition>[1]): Promise<void> {
    await this.#write(name, (current) => {
      const conditions = withCondition(current.status?.conditions, condition, this.#core.now())
      return { ...current, status: { ...current.status, conditions } }
    })
  }

  /** Writes to a definition, if it is still there, and waits until the caches know of it. */
  async #write(name: string, change: (current: Definition) => Definition): Promise<void> {
    const { client, feed } = this.#core
    try {
      const { metadata } = await client.update<Definition>(this.#kind, '', name, change)
      await feed.waitFor(Number(metadata.resourceVersion))
    } catch (error) {
      if ((error as { code?: number }).code !== 404) throw error
    }
  }
}

const hasRules = ({ spec }: Definition): boolean =>
  spec.versions.some(({ schema }) =>
    someSchema(schema?.openAPIV3Schema, (inner) => (inner['x-kubernetes-validations']?.length ?? 0) > 0),
  )

const statusOr = (status: Definition['status']): { status?: NonNullable<Definition['status']> } =>
  status ? { status } : {}
