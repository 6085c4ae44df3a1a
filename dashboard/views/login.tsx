import { useEffect, useState } from 'preact/hooks'
import { Failure } from '../parts/states.tsx'
import { ask, askJson, ServerError } from '../server/request.ts'
import { setSession } from '../session.ts'

interface Granted {
  token: string
  expirationTimestamp: string
}

/** The code of a one-time link, taken out of the address so that it is in nobody's history. */
function takeCode(): string | undefined {
  const [, code] = /^#login=([\w-]+)$/.exec(location.hash) ?? []
  if (code) history.replaceState(undefined, '', location.pathname)
  return code
}

/** Lets in who has a token, or came by a link. */
export function Login({ farewell }: { farewell: string }) {
  const [code] = useState(takeCode)
  const [fault, setFault] = useState('')
  const [busy, setBusy] = useState(code !== undefined)
  useEffect(() => {
    if (code === undefined) return
    askJson<Granted>('/ui/session', { method: 'POST', body: JSON.stringify({ code }), token: '' })
      .then(({ token, expirationTimestamp }) => setSession({ token, expiresMs: Date.parse(expirationTimestamp) }))
      .catch((error: Error) => {
        setFault(error.message)
        setBusy(false)
      })
  }, [code])
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const token = String(new FormData(event.target as HTMLFormElement).get('token') ?? '').trim()
    if (token === '') {
      setFault('Paste a token first.')
      return
    }
    setBusy(true)
    setFault('')
    ask('/version', { token })
      .then(() => setSession({ token }))
      .catch((error: Error) => {
        const wrong = error instanceof ServerError && error.code === 401
        setFault(wrong ? 'The server does not know this token. It may have expired.' : error.message)
        setBusy(false)
      })
  }
  return (
    <main class="login">
      <div class="login-card">
        <h1>
          <Mark /> Gantry
        </h1>
        {farewell && !fault && (
          <p class="notice" role="status">
            {farewell}
          </p>
        )}
        {fault && <Failure>{fault}</Failure>}
        {busy && code !== undefined ? (
          <p role="status">Logging in…</p>
        ) : (
          <>
            <p>
              The quickest way in is a one-time link. Where your kubeconfig is, run
              <code class="block">gantry dashboard</code>
            </p>
            <form onSubmit={submit}>
              <label for="token">Or paste a bearer token</label>
              <input id="token" name="token" type="password" autocomplete="off" spellcheck={false} disabled={busy} />
              <button type="submit" class="primary" disabled={busy}>
                Log in
              </button>
            </form>
            <p class="muted">
              <code>gantry create token NAME</code> makes one for a service account. You see here what that account may
              see, and nothing more.
            </p>
          </>
        )}
      </div>
    </main>
  )
}

/** The sign of the house. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect class="mark-ground" width="32" height="32" rx="7" />
      <path class="mark-lines" d="M7 24V9h18v15M7 13h18M16 13v6" />
      <rect class="mark-load" x="12.4" y="19" width="7.2" height="5" rx="1" />
    </svg>
  )
}
