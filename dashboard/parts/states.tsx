import type { ComponentChildren } from 'preact'
import type { Health } from '../model/pods.ts'
import type { View } from '../server/collection.ts'

const healthWords: Record<Health, string> = { good: 'well', busy: 'on its way', bad: 'not well', over: 'over' }

/** A word about how something does, with its colour and, for who sees none, its shape. */
export function Badge({ health, children }: { health: Health; children: ComponentChildren }) {
  return (
    <span class={`badge ${health}`}>
      <span class="badge-mark" aria-hidden="true" />
      {children}
      <span class="unseen">, {healthWords[health]}</span>
    </span>
  )
}

/** What a view says where it has nothing to show. */
export function Quiet({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="quiet">
      <p class="quiet-title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  )
}

/** Says plainly that something is hidden, and why; nothing else is hidden with it. */
export function Refused({ what, message }: { what: string; message: string }) {
  return (
    <div class="notice refused" role="note">
      <strong>You may not see {what}.</strong> {message}
    </div>
  )
}

interface WaitProps {
  what: string
  of: Pick<View, 'phase' | 'message'>
  children: ComponentChildren
}

/** Shows its children once they are there; until then, that they come, or why they do not. */
export function Await({ what, of, children }: WaitProps) {
  if (of.phase === 'refused') return <Refused what={what} message={of.message} />
  if (of.phase === 'loading') return <Loading what={what} />
  return (
    <>
      {of.phase === 'broken' && (
        <div class="notice" role="status">
          What you see of {what} may be out of date: {of.message}. Trying again.
        </div>
      )}
      {children}
    </>
  )
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="loading" role="status">
      <span class="unseen">Loading {what}</span>
      <span class="loading-bar" aria-hidden="true" />
      <span class="loading-bar" aria-hidden="true" />
      <span class="loading-bar" aria-hidden="true" />
    </div>
  )
}

/** What went wrong with something that was asked for. */
export function Failure({ children }: { children: ComponentChildren }) {
  return (
    <div class="notice bad" role="alert">
      {children}
    </div>
  )
}
