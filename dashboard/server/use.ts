import { useEffect, useState } from 'preact/hooks'
import type { KubeObject } from '../../api/machinery/object.ts'
import { moment } from '../moment.ts'
import { collectionAt, type View } from './collection.ts'
import { type Kind, pathOf } from './kinds.ts'
import { pastView } from './past.ts'

const loading: View = { items: new Map(), phase: 'loading', message: '', version: -1 }
let pastVersions = 0

/**
 * All objects of a kind in a namespace ('' for all), as they stand or as they were at the moment that is shown; draws anew
 * when they change.
 */
export function useKind<T extends KubeObject>(kind: Kind, namespace = '', query = ''): View<T> {
  const atMs = moment.use()
  const path = `${pathOf(kind, namespace)}${query}`
  const collection = collectionAt<T>(path)
  const [, redraw] = useState(0)
  const [past, setPast] = useState({ path, view: loading })
  useEffect(() => {
    if (atMs === undefined) {
      if (past.view !== loading) setPast({ path, view: loading })
      return collection.listen(() => redraw((n) => n + 1))
    }
    let left = false
    void pastView(kind, namespace, query, atMs).then((view) => {
      // What is drawn stays until there is something else to draw.
      if (!left) setPast({ path, view: { ...view, version: --pastVersions } })
    })
    return () => {
      left = true
    }
  }, [collection, path, atMs])
  if (atMs === undefined) return collection
  return (past.path === path ? past.view : loading) as View<T>
}

/** The time that is shown, so that ages grow: told every few seconds, for one clock is enough. */
export function useNow(everyMs = 5000): number {
  const atMs = moment.use()
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return atMs ?? now
}
