import type { CoreV1Event } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { NamedObject, Selection } from '../objects.ts'
import type { Lines } from './lines.ts'

/** What a description needs beside its object. */
export interface Surroundings {
  nowMs: number
  /** The objects of a kind, called by any of its names. */
  list<T>(resource: string, selection: Selection): Promise<Live<T>[]>
  /** One object; a refusal is thrown. */
  get<T>(resource: string, name: string, namespace?: string): Promise<Live<T>>
}

/** How objects of one kind are described. */
export interface Describer {
  lines(object: NamedObject, around: Surroundings): Lines | Promise<Lines>
  /** Whether its events are shown below. */
  events: boolean
  /** What its user should do; undefined while nothing is wrong. */
  hint?(
    object: NamedObject,
    events: readonly Live<CoreV1Event>[],
    around: Surroundings,
  ): string | undefined | Promise<string | undefined>
}

/** A describer whose function knows the type of its kind. */
export const describes = <T>(
  lines: (object: Live<T>, around: Surroundings) => Lines | Promise<Lines>,
  { events = true, hint }: { events?: boolean; hint?: Describer['hint'] } = {},
): Describer => ({
  lines: (object, around) => lines(object as unknown as Live<T>, around),
  events,
  ...(hint ? { hint } : {}),
})
