import { useEffect, useState } from 'preact/hooks'

const listeners = new Set<(atMs: number | undefined) => void>()
let current: number | undefined

/** The moment that is shown, in milliseconds; undefined: now, and all that follows. */
export const moment = {
  get: (): number | undefined => current,
  set(atMs: number | undefined): void {
    current = atMs
    for (const listener of listeners) listener(atMs)
  },
  /** The moment; draws anew when it changes. */
  use(): number | undefined {
    const [atMs, setAt] = useState(current)
    useEffect(() => {
      listeners.add(setAt)
      setAt(current)
      return () => void listeners.delete(setAt)
    }, [])
    return atMs
  },
}
