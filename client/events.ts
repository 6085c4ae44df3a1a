import { createHash } from 'node:crypto'
import type { ObjectReference } from '../api/generated/types.ts'
import type { KubeObject } from '../api/machinery/object.ts'
import { formatTime } from '../api/machinery/time.ts'
import { systemClock } from './clock.ts'
import { isNotFound } from './errors.ts'
import { events } from './resources.ts'
import type { Api, Clock } from './types.ts'

export interface EventSource {
  component: string
  /** The node it happened on, for components that run on one. */
  host?: string
}

type EventType = 'Normal' | 'Warning'

/** An event that stands in the server, and how often it has happened since. */
interface Standing {
  name: string
  namespace: string
  count: number
  firstMs: number
  lastMs: number
}

/** Upstream's correlator: what it lets through. */
const spamBurst = 25
const spamRefillPerMs = 1 / 300_000
const similarLimit = 10
const similarWindowMs = 600_000
const remembered = 4096
/** As many as a burst of pods makes while those who bind them go first. */
const maxWaiting = 10_000

/**
 * Writes what happens to objects as core/v1 Events, for `kubectl describe` and `kubectl get events`. The same thing
 * happening again raises a count; many similar ones become one; one object that never stops is cut short. Never blocks
 * its caller and never throws: an event that cannot be written is dropped.
 */
export class EventRecorder {
  readonly #api: Api
  readonly #source: EventSource
  readonly #clock: Clock
  readonly #standing = new Map<string, Standing>()
  readonly #similar = new Map<string, { messages: Set<string>; lastMs: number }>()
  readonly #spam = new Map<string, { tokens: number; atMs: number }>()
  #waiting = 0
  /** By object: what is told of one is written in its order; of several, side by side. */
  readonly #lanes = new Map<string, Promise<void>>()
  #stopped = false
  #givenUp = false

  constructor(api: Api, source: EventSource, options: { clock?: Clock } = {}) {
    this.#api = api
    this.#source = source
    this.#clock = options.clock ?? systemClock
  }

  /** Tells that something happened to an object (one with apiVersion and kind, or a reference to one). */
  event(about: KubeObject | ObjectReference, type: EventType, reason: string, message: string): void {
    if (this.#stopped || this.#waiting >= maxWaiting) return
    const ref = referenceTo(about)
    const now = this.#clock.now()
    const { component, host = '' } = this.#source
    if (!this.#admit(`${component}/${host}/${ref.kind}/${ref.namespace}/${ref.name}/${ref.uid}/${ref.apiVersion}`, now))
      return
    const group = [component, host, ref.kind, ref.namespace, ref.name, ref.uid, ref.fieldPath, type, reason].join(
      '\u0000',
    )
    const text = this.#isFlood(group, message, now) ? `(combined from similar events): ${message}` : message
    const combined = text !== message
    // Combined events count as one whatever they say.
    const key = combined ? `${group}\u0000combined` : `${group}\u0000${message}`
    this.#waiting++
    const lane = ref.uid || `${ref.namespace}/${ref.name}`
    const written: Promise<void> = (this.#lanes.get(lane) ?? Promise.resolve())
      .then(() => (this.#givenUp ? undefined : this.#write(key, ref, type, reason, text, now)))
      .catch(() => {})
      .finally(() => {
        this.#waiting--
        if (this.#lanes.get(lane) === written) this.#lanes.delete(lane)
      })
    this.#lanes.set(lane, written)
  }

  /** Resolves when all that was told has been written or dropped. What is not written within the time is dropped. */
  async flush(withinMs?: number): Promise<void> {
    const written = Promise.all(this.#lanes.values())
    if (withinMs === undefined) {
      await written
      return
    }
    const done = new AbortController()
    const late = this.#clock.sleep(withinMs, done.signal).then(
      () => {
        this.#givenUp = true
      },
      () => {},
    )
    await Promise.race([written, late])
    done.abort()
  }

  /** Takes no more. */
  stop(): void {
    this.#stopped = true
  }

  #admit(source: string, now: number): boolean {
    const bucket = this.#spam.get(source) ?? { tokens: spamBurst, atMs: now }
    const tokens = Math.min(spamBurst, bucket.tokens + (now - bucket.atMs) * spamRefillPerMs)
    remember(this.#spam, source, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: now })
    return tokens >= 1
  }

  #isFlood(group: string, message: string, now: number): boolean {
    const standing = this.#similar.get(group)
    const similar =
      standing && now - standing.lastMs <= similarWindowMs ? standing : { messages: new Set<string>(), lastMs: now }
    similar.messages.add(message)
    similar.lastMs = now
    remember(this.#similar, group, similar)
    if (similar.messages.size < similarLimit) return false
    // Only that there are many matters from here on.
    if (similar.messages.size > similarLimit) similar.messages.delete(message)
    return true
  }

  async #write(
    key: string,
    ref: ObjectReference,
    type: EventType,
    reason: string,
    message: string,
    now: number,
  ): Promise<void> {
    const standing = this.#standing.get(key)
    if (standing) {
      standing.count++
      standing.lastMs = now
      try {
        await this.#api.patch(
          events,
          { namespace: standing.namespace, name: standing.name },
          { type: 'merge', body: { count: standing.count, message, lastTimestamp: formatTime(now) } },
        )
        return
      } catch (error) {
        if (!isNotFound(error)) throw error
        // It has expired: told anew.
        this.#standing.delete(key)
      }
    }
    const namespace = ref.namespace || 'default'
    const name = eventName(ref.name ?? '', key, now)
    const { component, host } = this.#source
    const event = {
      metadata: { name, namespace },
      involvedObject: ref,
      reason,
      message,
      type,
      source: { component, ...(host ? { host } : {}) },
      firstTimestamp: formatTime(now),
      lastTimestamp: formatTime(now),
      count: 1,
      reportingComponent: component,
      reportingInstance: host ?? '',
    }
    await this.#api.submit(events, event, { background: true })
    remember(this.#standing, key, { name, namespace, count: 1, firstMs: now, lastMs: now })
  }
}

/** `object.16-hex-digits`, as upstream names events; told apart from another of the same moment by what it says. */
function eventName(object: string, key: string, now: number): string {
  const digest = createHash('sha1').update(key).digest('hex').slice(0, 5)
  return `${object.slice(0, 230)}.${now.toString(16).slice(-11)}${digest}`
}

function referenceTo(about: KubeObject | ObjectReference): ObjectReference {
  if (!('metadata' in about)) return about
  const { apiVersion, kind, metadata } = about
  const { namespace, name, uid, resourceVersion } = metadata
  return {
    ...(kind ? { kind } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(uid ? { uid } : {}),
    ...(apiVersion ? { apiVersion } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
  }
}

/** The newest {@link remembered} are kept. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= remembered) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
