import { useEffect, useState } from 'preact/hooks'

/** Where one is: the parts of the address behind `#/`. */
export interface Route {
  view: string
  parts: string[]
}

const parse = (): Route => {
  const [view = '', ...parts] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent)
  return { view: view || 'overview', parts }
}

export function useRoute(): Route {
  const [route, setRoute] = useState(parse)
  useEffect(() => {
    const listener = () => setRoute(parse())
    addEventListener('hashchange', listener)
    return () => removeEventListener('hashchange', listener)
  }, [])
  return route
}

/** A value that outlives the tab's page, told to all who use it. */
export function createSetting(name: string, initial: string) {
  const key = `gantry.${name}`
  let value = localStorage.getItem(key) ?? initial
  const listeners = new Set<(value: string) => void>()
  return {
    get: () => value,
    set(next: string) {
      value = next
      localStorage.setItem(key, next)
      for (const listener of listeners) listener(next)
    },
    use(): string {
      const [current, setCurrent] = useState(value)
      useEffect(() => {
        listeners.add(setCurrent)
        setCurrent(value)
        return () => void listeners.delete(setCurrent)
      }, [])
      return current
    },
  }
}

/** The namespace that is shown; '' for all. */
export const shownNamespace = createSetting('namespace', '')
/** light, dark, or '' for what the system says. */
export const theme = createSetting('theme', '')
