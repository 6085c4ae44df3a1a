import type { CoreV1Event } from '../api/generated/types.ts'

/** When an event was last seen, in milliseconds since 1970; 0 where it does not say. */
export function eventMs({ series, lastTimestamp, eventTime, firstTimestamp, metadata }: CoreV1Event): number {
  const last = series?.lastObservedTime || lastTimestamp || eventTime || firstTimestamp
  return Date.parse(last || metadata.creationTimestamp || '') || 0
}
