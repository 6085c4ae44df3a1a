import { useEffect, useState } from 'preact/hooks'
import type { KubeObject } from '../../api/machinery/object.ts'
import { type Collection, collectionAt } from './collection.ts'
import { type Kind, pathOf } from './kinds.ts'

/** All objects of a kind in a namespace ('' for all); draws anew when they change. */
export function useKind<T extends KubeObject>(kind: Kind, namespace = '', query = ''): Collection<T> {
  return usePath<T>(`${pathOf(kind, namespace)}${query}`)
}

export function usePath<T extends KubeObject>(path: string): Collection<T> {
  const [, redraw] = useState(0)
  const collection = collectionAt<T>(path)
  useEffect(() => collection.listen(() => redraw((n) => n + 1)), [collection])
  return collection
}

/** The time, so that ages grow: told every few seconds, for one clock is enough. */
export function useNow(everyMs = 5000): number {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
