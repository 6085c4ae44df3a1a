import { kindsCounted, quotaEvaluator } from '../../api/core/quota/evaluators.ts'
import type { PersistentVolumeClaim, ResourceV1ResourceClaim, Service } from '../../api/generated/types.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import { type Handler, Informer } from '../../client/informer.ts'
import { builtinRefs, persistentVolumeClaims, pods, resourceClaims, services } from '../../client/resources.ts'
import type { Live, ResourceRef } from '../../client/types.ts'
import { podInformer } from '../pods/pod-index.ts'
import type { ControllerDeps } from '../types.ts'
import type { Counted } from './plan.ts'

interface Followed {
  ref: ResourceRef
  informer: Informer<unknown>
  end: () => void
}

/** What is told of a kind whose objects are counted. */
export type OnChange = (group: string, plural: string) => Handler<unknown>

/**
 * Counts objects for quotas, following only the kinds that some quota limits. Of most kinds their number is all that
 * matters, and only their names are kept.
 */
export class QuotaCounts {
  readonly #deps: ControllerDeps
  readonly #onChange: OnChange
  readonly #followed = new Map<string, Followed>()
  #discovered: readonly ResourceRef[] = []

  constructor(deps: ControllerDeps, onChange: OnChange) {
    this.#deps = deps
    this.#onChange = onChange
  }

  /**
   * The objects of the namespace that the names speak of, as they were at that version or later: where a cache has not
   * come so far, the server is asked. A kind that is not served is left out, and `missing` says so.
   */
  async count(
    namespace: string,
    names: readonly string[],
    version: string,
    signal: AbortSignal,
  ): Promise<{ kinds: Counted[]; missing: boolean }> {
    const kinds: Counted[] = []
    let missing = false
    for (const [group, plural] of kindsCounted(names)) {
      const evaluator = quotaEvaluator(group, plural)
      const followed = evaluator && (await this.#follow(group, plural, signal))
      if (!followed) {
        missing = true
        continue
      }
      const { informer, ref } = followed
      const isFresh = Number(informer.version) >= Number(version)
      const objects = isFresh
        ? informer.lister.list(namespace)
        : (await this.#deps.api.list(ref, { namespace, metadataOnly: !isWhole(ref), signal })).items
      kinds.push({ evaluator, objects: objects as AnyObject[] })
    }
    return { kinds, missing }
  }

  /** Follows only what these names need from now on. */
  keep(names: readonly string[]): void {
    const needed = new Set(kindsCounted(names).map((kind) => kind.join('/')))
    for (const [kind, { end }] of this.#followed) {
      if (needed.has(kind)) continue
      end()
      this.#followed.delete(kind)
    }
  }

  async #follow(group: string, plural: string, signal: AbortSignal): Promise<Followed | undefined> {
    const kind = `${group}/${plural}`
    let followed = this.#followed.get(kind)
    if (!followed) {
      const ref = await this.#refOf(group, plural, signal)
      if (!ref) return undefined
      followed = this.#start(ref, signal)
      this.#followed.set(kind, followed)
    }
    await followed.informer.start(signal)
    return followed
  }

  #start(ref: ResourceRef, signal: AbortSignal): Followed {
    const { api, clock, informers, log } = this.#deps
    const handler = this.#onChange(ref.group, ref.plural)
    const shared = isWhole(ref) ? wholeInformer(this.#deps, ref) : informers.standing(ref)
    if (shared) return { ref, informer: shared, end: shared.on(handler) }
    const stop = new AbortController()
    signal.addEventListener('abort', () => stop.abort(signal.reason), { once: true })
    const informer = new Informer<unknown>(api, ref, {
      clock,
      metadataOnly: true,
      transform: ({ metadata }) => nameOnly(metadata),
      onError: (error) => log.debug({ kind: ref.plural, err: (error as Error).message }, 'a watch has failed'),
    })
    informer.on(handler)
    void informer.start(stop.signal).catch(() => {})
    return { ref, informer, end: () => stop.abort(new Error('no quota limits it any more')) }
  }

  async #refOf(group: string, plural: string, signal: AbortSignal): Promise<ResourceRef | undefined> {
    const find = (refs: readonly ResourceRef[]) =>
      refs.find((ref) => ref.group === group && ref.plural === plural && ref.namespaced)
    const known = find(builtinRefs()) ?? find(this.#discovered)
    if (known) return known
    const needed = ['create', 'list', 'watch', 'delete']
    const { resources } = await this.#deps.api.discover(signal)
    this.#discovered = resources.filter(({ verbs }) => needed.every((verb) => verbs.includes(verb)))
    return find(this.#discovered)
  }
}

/** Kinds that use more than their number. */
const whole: readonly ResourceRef[] = [pods, persistentVolumeClaims, services, resourceClaims]

const isWhole = ({ group, plural }: ResourceRef): boolean =>
  whole.some((ref) => ref.group === group && ref.plural === plural)

function wholeInformer({ informers }: ControllerDeps, ref: ResourceRef): Informer<unknown> {
  const informer =
    ref.plural === 'pods'
      ? podInformer(informers)
      : informers.for(ref as ResourceRef<PersistentVolumeClaim | Service | ResourceV1ResourceClaim>)
  return informer as Informer<unknown>
}

const nameOnly = ({
  name,
  namespace = '',
  uid = '',
  resourceVersion = '',
}: Live<unknown>['metadata']): Live<unknown> => ({
  metadata: { name, namespace, uid, resourceVersion },
})
