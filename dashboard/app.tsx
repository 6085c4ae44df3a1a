import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { SelfSubjectReview } from '../api/generated/types.ts'
import { moment } from './moment.ts'
import { Timeline } from './parts/timeline.tsx'
import { shownNamespace, theme, useRoute } from './route.ts'
import { forgetCollections } from './server/collection.ts'
import { kinds } from './server/kinds.ts'
import { forgetPast } from './server/past.ts'
import { ask, askJson } from './server/request.ts'
import { forgetUsage } from './server/usage.ts'
import { useKind } from './server/use.ts'
import { session, setSession, useSession } from './session.ts'
import { Login, Mark } from './views/login.tsx'
import { viewFor, views } from './views/views.tsx'

/** The whole page: whoever has no session logs in first. */
export function App() {
  const { session: current, farewell } = useSession()
  const shade = theme.use()
  useLayoutEffect(() => {
    if (shade) document.documentElement.dataset.theme = shade
    else delete document.documentElement.dataset.theme
  }, [shade])
  useEffect(() => {
    if (current) return
    forgetCollections()
    forgetUsage()
    forgetPast()
    moment.set(undefined)
  }, [current])
  return current ? <House key={current.token} /> : <Login farewell={farewell} />
}

function House() {
  const route = useRoute()
  const { title, view: View } = viewFor(route)
  const arrived = useRef(false)
  const [lookingBack, lookBack] = useState(false)
  const past = moment.use() !== undefined
  useEffect(() => {
    document.title = `${title(route)} · Gantry`
    // Where one goes, the keyboard goes too; at first it is where the browser has put it.
    if (arrived.current) document.querySelector('main')?.focus({ preventScroll: true })
    arrived.current = true
  }, [title, route])
  return (
    <div class="house">
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <nav class="side" aria-label="Views">
        <div class="brand">
          <Mark /> Gantry
        </div>
        <NamespaceChoice />
        <ul>
          {views.map(({ name, label }) => (
            <li key={name}>
              <a href={`#/${name}`} aria-current={route.view === name ? 'page' : undefined}>
                {label}
              </a>
            </li>
          ))}
        </ul>
        <button type="button" aria-expanded={lookingBack || past} onClick={() => lookBack(true)}>
          Look back
        </button>
        <Foot />
      </nav>
      <main id="main" tabIndex={-1} aria-label={title(route)}>
        {(lookingBack || past) && <Timeline onClose={() => lookBack(false)} />}
        <View key={route.view === 'object' ? route.parts.slice(0, 5).join('/') : route.view} parts={route.parts} />
      </main>
    </div>
  )
}

/** The address behind # is the page's own: the jump is made by hand. */
function skip(): void {
  document.getElementById('main')?.focus()
}

/** Chooses whose objects are shown. Who may not list namespaces types one. */
function NamespaceChoice() {
  const namespace = shownNamespace.use()
  const known = useKind(kinds.namespaces)
  const names = [...known.items.keys()].sort()
  if (known.phase === 'refused') {
    return (
      <label class="choice">
        Namespace
        <input
          type="text"
          placeholder="all namespaces"
          value={namespace}
          onChange={(event) => shownNamespace.set(event.currentTarget.value.trim())}
        />
      </label>
    )
  }
  if (namespace !== '' && !names.includes(namespace)) names.push(namespace)
  return (
    <label class="choice">
      Namespace
      <select value={namespace} onChange={(event) => shownNamespace.set(event.currentTarget.value)}>
        <option value="">All namespaces</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

const shades = ['', 'light', 'dark']
const shadeNames: Record<string, string> = { '': 'As the system', light: 'Light', dark: 'Dark' }

function Foot() {
  const shade = theme.use()
  const user = useUser()
  return (
    <div class="foot">
      <label class="choice">
        Appearance
        <select value={shade} onChange={(event) => theme.set(event.currentTarget.value)}>
          {shades.map((each) => (
            <option key={each} value={each}>
              {shadeNames[each]}
            </option>
          ))}
        </select>
      </label>
      <p class="who">
        {user && (
          <span title={user}>
            <span class="unseen">You are </span>
            {user}
          </span>
        )}
        <button type="button" class="plain" onClick={logOut}>
          Log out
        </button>
      </p>
    </div>
  )
}

function useUser(): string | undefined {
  const [user, setUser] = useState<string>()
  useEffect(() => {
    askJson<SelfSubjectReview>('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      method: 'POST',
      body: '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}',
    })
      .then(({ status }) => setUser(status?.userInfo?.username))
      .catch(() => setUser(undefined))
  }, [])
  return user
}

/** Ends a link's session on the server too; a token brought along stays its owner's. */
function logOut(): void {
  const { token = '', expiresMs } = session() ?? {}
  setSession(undefined, 'You have logged out.')
  if (expiresMs === undefined) return
  // The tab has forgotten it already: a server that is away changes nothing about that.
  ask('/ui/logout', { method: 'POST', body: JSON.stringify({ token }), token: '' }).catch(() => {})
}
