import { compileFieldSelector } from '../../api/machinery/fields.ts'
import { compileSelector } from '../../api/machinery/labels.ts'
import type { ListOptions, Live, WatchEvent, WatchOptions } from '../types.ts'

export type Stored = Live<Record<string, unknown>>

export interface Change {
  revision: number
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  before: Stored | undefined
  object: Stored
}

/** What a watcher with this selection sees of a change: an object that comes into it or leaves it is added or deleted. */
export function seenThrough(
  { type, before, object }: Change,
  matches: (object: Stored) => boolean,
): object | undefined {
  const was = before !== undefined && matches(before)
  const is = type !== 'DELETED' && matches(object)
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object: shown(object) }
  return was ? { type: 'DELETED', object: shown(object) } : undefined
}

/** For one reader: only what it may change is its own. */
export const shown = (object: Stored): Stored => ({ ...object, metadata: { ...object.metadata } })

/** Whether an object is among those that were asked for. */
export function selection({
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

/** Tells how far a watch has come. */
export const bookmark = <T>(revision: number, annotations?: Record<string, string>): WatchEvent<T> => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion: String(revision), ...(annotations ? { annotations } : {}) } },
})

export const wakeAll = (wakers: Set<() => void>): void => {
  for (const wake of wakers) wake()
}

/** One who waits, again and again, to be woken by any of several, or by the signal. */
export class Waiting {
  readonly #signal: AbortSignal | undefined
  readonly #wokenBy: readonly Set<() => void>[]
  #resolve: (() => void) | undefined
  readonly #wake = () => {
    this.#resolve?.()
    this.#resolve = undefined
  }

  constructor(signal: AbortSignal | undefined, wokenBy: readonly Set<() => void>[]) {
    this.#signal = signal
    this.#wokenBy = wokenBy
    signal?.addEventListener('abort', this.#wake, { once: true })
    for (const wakers of wokenBy) wakers.add(this.#wake)
  }

  forNext(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  end(): void {
    this.#signal?.removeEventListener('abort', this.#wake)
    for (const wakers of this.#wokenBy) wakers.delete(this.#wake)
  }
}
