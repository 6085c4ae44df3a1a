import { useEffect, useState } from 'preact/hooks'
import type { ObjectVersion } from '../../../api/gantry/object-version.ts'
import { age } from '../../../api/machinery/print.ts'
import { moment } from '../../moment.ts'
import { Failure, Loading } from '../../parts/states.tsx'
import { askVersions } from '../../server/past.ts'
import { useNow } from '../../server/use.ts'
import type { TabProps } from './object.tsx'

const mostChanges = 8

/** Every version of an object that is kept: who made it, and what was different. */
export function History({ kind, object: { metadata } }: TabProps) {
  const { namespace = '', name = '' } = metadata
  const [versions, setVersions] = useState<ObjectVersion[]>()
  const [more, setMore] = useState(false)
  const [withStatus, setWithStatus] = useState(false)
  const [fault, setFault] = useState('')
  const nowMs = useNow()
  const read = (before: string) =>
    askVersions(kind, namespace, name, before)
      .then((answer) => {
        setVersions((known = []) => [...(before === '' ? [] : known), ...answer.items])
        setMore(answer.more === true)
      })
      .catch((error: Error) => setFault(error.message))
  useEffect(() => {
    void read('')
  }, [kind, namespace, name, metadata.resourceVersion])
  const shownVersions = (versions ?? []).filter(({ subresource }) => withStatus || subresource !== 'status')
  if (fault) return <Failure>{fault}</Failure>
  if (!versions) return <Loading what="the versions" />
  return (
    <div class="facts">
      <label class="check">
        <input type="checkbox" checked={withStatus} onChange={() => setWithStatus(!withStatus)} /> changes of the status
        too
      </label>
      {versions.length > 0 && shownVersions.length === 0 && (
        <p class="muted">Of the last {versions.length} versions, every one changed the status only.</p>
      )}
      <ol class="versions">
        {shownVersions.map(({ revision, time, user, manager, operation, subresource, changes }) => (
          <li key={revision} class="card">
            <p>
              <strong>{user ?? 'Somebody'}</strong> {operation} {subresource ? `its ${subresource}` : 'it'}
              {manager && <span class="muted"> with {manager}</span>}
              <span class="muted">, {age(time, nowMs)} ago</span>
            </p>
            {changes.length > 0 && (
              <dl class="changes">
                {changes.slice(0, mostChanges).map((change) => (
                  <div key={change.path}>
                    <dt>{change.path}</dt>
                    <dd>
                      {'from' in change && <del>{shown(change.from)}</del>}{' '}
                      {'to' in change && <ins>{shown(change.to)}</ins>}
                    </dd>
                  </div>
                ))}
                {changes.length > mostChanges && <p class="muted">and {changes.length - mostChanges} more</p>}
              </dl>
            )}
            {time && (
              <button type="button" class="plain" onClick={() => moment.set(Date.parse(time))}>
                See everything as it was then
              </button>
            )}
          </li>
        ))}
      </ol>
      {more && (
        <button type="button" onClick={() => void read(versions.at(-1)?.revision ?? '')}>
          Older versions
        </button>
      )}
    </div>
  )
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
