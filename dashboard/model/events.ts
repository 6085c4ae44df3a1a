import type { CoreV1Event } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'

export type EventObject = Stored<CoreV1Event>

/** When an event was last seen, in milliseconds. */
export function eventTime({ series, lastTimestamp, eventTime: at, metadata }: EventObject): number {
  return Date.parse(series?.lastObservedTime || lastTimestamp || at || metadata.creationTimestamp || '') || 0
}
