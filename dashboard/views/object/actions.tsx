import { useEffect, useState } from 'preact/hooks'
import { moment } from '../../moment.ts'
import { Failure } from '../../parts/states.tsx'
import { type Kind, pathOf } from '../../server/kinds.ts'
import { askMay } from '../../server/may.ts'
import { ask } from '../../server/request.ts'
import type { TabProps } from './object.tsx'

const scaled = new Set(['Deployment', 'StatefulSet', 'ReplicaSet'])
const restarted = new Set(['Deployment', 'StatefulSet', 'DaemonSet'])
const mergePatch = 'application/merge-patch+json'

/** What is being asked before it is done. */
type Asked = { what: 'scale'; replicas: string } | { what: 'restart' }

/** What one can do with a workload here, as far as one may. */
export function Actions({ kind, object }: TabProps) {
  const { namespace = '', name = '' } = object.metadata
  const mayScale = useMay(scaled.has(kind.kind), kind, namespace, name, 'scale')
  const mayRestart = useMay(restarted.has(kind.kind), kind, namespace, name)
  const [asked, setAsked] = useState<Asked>()
  const [fault, setFault] = useState('')
  const past = moment.use() !== undefined
  if (past || !(mayScale || mayRestart)) return null
  const replicas = (object.spec as { replicas?: number } | undefined)?.replicas ?? 1
  const send = (subresource: string, body: object) => {
    ask(`${pathOf(kind, namespace, name)}${subresource}`, {
      method: 'PATCH',
      type: mergePatch,
      body: JSON.stringify(body),
    })
      .then(() => {
        setAsked(undefined)
        setFault('')
      })
      .catch((error: Error) => setFault(error.message))
  }
  return (
    <section class="actions" aria-label={`What to do with ${name}`}>
      {asked === undefined ? (
        <div class="bar">
          {mayScale && (
            <button type="button" onClick={() => setAsked({ what: 'scale', replicas: String(replicas) })}>
              Scale…
            </button>
          )}
          {mayRestart && (
            <button type="button" onClick={() => setAsked({ what: 'restart' })}>
              Restart…
            </button>
          )}
        </div>
      ) : asked.what === 'scale' ? (
        <form
          class="bar"
          onSubmit={(event) => {
            event.preventDefault()
            send('/scale', { spec: { replicas: Number(asked.replicas) } })
          }}
        >
          <label>
            Replicas, {replicas} now{' '}
            <input
              type="number"
              min="0"
              required
              value={asked.replicas}
              onInput={({ currentTarget }) => setAsked({ what: 'scale', replicas: currentTarget.value })}
            />
          </label>
          <button type="submit" class="primary" disabled={asked.replicas === '' || Number(asked.replicas) === replicas}>
            Scale to {asked.replicas}
          </button>
          <Cancel onClick={() => setAsked(undefined)} />
        </form>
      ) : (
        <div class="bar">
          <p>All pods of {name} are replaced, step by step, as its strategy says.</p>
          <button type="button" class="primary" onClick={() => send('', restart())}>
            Restart {name}
          </button>
          <Cancel onClick={() => setAsked(undefined)} />
        </div>
      )}
      {fault && <Failure>{fault}</Failure>}
    </section>
  )
}

const Cancel = ({ onClick }: { onClick: () => void }) => (
  <button type="button" onClick={onClick}>
    Leave it
  </button>
)

/** As `kubectl rollout restart` does it. */
const restart = () => ({
  spec: {
    template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() } } },
  },
})

function useMay(wanted: boolean, kind: Kind, namespace: string, name: string, subresource = ''): boolean {
  const [may, setMay] = useState(false)
  const { group, plural } = kind
  useEffect(() => {
    setMay(false)
    if (!wanted) return
    const asked = new AbortController()
    askMay({ verb: 'patch', group, resource: plural, subresource, namespace, name }, asked.signal)
      .then(setMay)
      // Who cannot even ask gets no buttons; why is said where the object would be.
      .catch(() => {})
    return () => asked.abort()
  }, [wanted, group, plural, namespace, name, subresource])
  return may
}
