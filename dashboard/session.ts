import { useEffect, useState } from 'preact/hooks'

/** Whose rights the page has. */
export interface Session {
  token: string
  /** Of a link's session; of a token brought along it is not known. */
  expiresMs?: number
}

const key = 'gantry.session'
const listeners = new Set<() => void>()
let current: Session | undefined = stored()
/** Why there is none any more, for the next who logs in. */
let farewell = ''

/** Kept for this tab alone, and gone with it. */
function stored(): Session | undefined {
  try {
    const text = sessionStorage.getItem(key)
    const session = text === null ? undefined : (JSON.parse(text) as Session)
    return session?.expiresMs !== undefined && session.expiresMs <= Date.now() ? undefined : session
  } catch {
    return undefined
  }
}

export const session = (): Session | undefined => current

/** Begins a session, or ends it with a word why. */
export function setSession(next: Session | undefined, why = ''): void {
  current = next
  farewell = why
  if (next) sessionStorage.setItem(key, JSON.stringify(next))
  else sessionStorage.removeItem(key)
  for (const listener of listeners) listener()
}

/** The session, and why the last one ended; draws anew when that changes. */
export function useSession(): { session: Session | undefined; farewell: string } {
  const [, redraw] = useState(0)
  useEffect(() => {
    const listener = () => redraw((n) => n + 1)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }, [])
  return { session: current, farewell }
}
