import type { CoreV1Event } from '../../api/generated/types.ts'
import { isForbidden, isGone } from '../../client/errors.ts'
import type { Live } from '../../client/types.ts'
import type { ServedKind } from '../kinds.ts'
import { listObjects, type NamedObject, type Selection } from '../objects.ts'
import type { World } from '../overview/overview.ts'
import type { Session } from '../session.ts'
import { watchKind } from '../watch.ts'
import type { Subject } from '../workloads.ts'

const followed = {
  nodes: ['nodes'],
  pods: ['pods'],
  workloads: ['deployments.apps', 'statefulsets.apps', 'daemonsets.apps', 'jobs.batch'],
  claims: ['persistentvolumeclaims'],
  events: ['events'],
} as const

const againMs = 1000

/** A cluster's objects as they are from moment to moment. */
export class LiveWorld {
  readonly #session: Session
  readonly #onChange: () => void
  readonly #byKind = new Map<string, Map<string, Subject>>()
  #waiting: number

  constructor(session: Session, onChange: () => void) {
    this.#session = session
    this.#onChange = onChange
    this.#waiting = Object.values(followed).flat().length
  }

  /** Undefined until all has been read once. */
  get world(): World | undefined {
    if (this.#waiting > 0) return undefined
    const of = (words: readonly string[]) => words.flatMap((word) => [...(this.#byKind.get(word)?.values() ?? [])])
    return {
      nodes: of(followed.nodes),
      pods: of(followed.pods),
      workloads: of(followed.workloads),
      claims: of(followed.claims),
      events: of(followed.events).map(({ object }) => object as unknown as Live<CoreV1Event>),
    }
  }

  /** Follows until the signal fires. Throws what keeps it from the first look. */
  async follow(signal: AbortSignal): Promise<void> {
    const kinds = await this.#session.kinds()
    await Promise.all(
      Object.values(followed)
        .flat()
        .map((word) => this.#followKind(word, kinds.named(word), signal)),
    )
  }

  async #followKind(word: string, kind: ServedKind, signal: AbortSignal): Promise<void> {
    const selection: Selection = {
      namespace: undefined,
      ...(word === 'events' ? { fieldSelector: 'type=Warning' } : {}),
    }
    let isFirst = true
    while (!signal.aborted) {
      try {
        const version = await this.#read(word, kind, selection)
        if (isFirst) this.#waiting--
        isFirst = false
        this.#onChange()
        await watchKind<NamedObject>(this.#session, kind, selection, {
          resourceVersion: version,
          onEvent: (type, object) => this.#changed(word, kind, type, object),
        })
      } catch (error) {
        if (signal.aborted) return
        if (isFirst && !isForbidden(error)) throw error
        // Not for these eyes: the rest is shown without it.
        if (isForbidden(error)) {
          if (isFirst) this.#waiting--
          return
        }
        // What has been missed is read anew; from a server that is away, a little later.
        if (!isGone(error)) await this.#session.clock.sleep(againMs, signal).catch(() => {})
      }
    }
  }

  async #read(word: string, kind: ServedKind, selection: Selection): Promise<string> {
    let version = '0'
    const objects = await listObjects(this.#session, kind, { ...selection, chunkSize: 0 }, (at) => {
      version = at
    })
    this.#byKind.set(word, new Map(objects.map((object) => [object.metadata.uid ?? '', { kind, object }])))
    return version
  }

  #changed(word: string, kind: ServedKind, type: string, object: NamedObject): boolean {
    const known = this.#byKind.get(word)
    if (type === 'DELETED') known?.delete(object.metadata.uid ?? '')
    else known?.set(object.metadata.uid ?? '', { kind, object })
    this.#onChange()
    return false
  }
}
