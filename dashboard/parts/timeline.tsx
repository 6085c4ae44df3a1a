import { useEffect, useRef, useState } from 'preact/hooks'
import { humanDuration } from '../../api/machinery/print.ts'
import { moment } from '../moment.ts'
import { shownNamespace } from '../route.ts'
import { askChanges, askReach, type Change, type Reach } from '../server/past.ts'
import { Failure } from './states.tsx'

/** While the slider moves, nothing is asked for. */
const restMs = 150
const mostChanges = 200
const stepMs = 1000

/** Takes the page back to an earlier moment: everything is shown as it was then. */
export function Timeline({ onClose }: { onClose: () => void }) {
  const namespace = shownNamespace.use()
  const atMs = moment.use()
  const [reach, setReach] = useState<Reach>()
  const [changes, setChanges] = useState<Change[]>([])
  const [fault, setFault] = useState('')
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  /** Where the slider is, which the page follows when it rests. */
  const [wanted, setWanted] = useState<number>()
  useEffect(() => {
    let left = false
    askReach()
      .then(async (answer) => {
        if (!left) setReach(answer)
        const done = await askChanges(namespace, answer.oldestMs)
        if (!left) setChanges(done.slice(0, mostChanges))
      })
      .catch((error: Error) => setFault(error.message))
    return () => {
      left = true
    }
  }, [namespace])
  const move = (toMs: number) => {
    setWanted(toMs)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => moment.set(reach && toMs >= reach.newestMs ? undefined : toMs), restMs)
  }
  const leave = () => {
    clearTimeout(timer.current)
    moment.set(undefined)
    onClose()
  }
  if (fault) {
    return (
      <div class="timeline">
        <Failure>One cannot look back: {fault}</Failure>
        <button type="button" onClick={leave}>
          Close
        </button>
      </div>
    )
  }
  const shownMs = wanted ?? atMs ?? reach?.newestMs ?? 0
  const part = (ms: number) => (reach ? (ms - reach.oldestMs) / Math.max(1, reach.newestMs - reach.oldestMs) : 0)
  return (
    <section class={atMs === undefined ? 'timeline' : 'timeline past'} aria-label="Look back">
      <p class="timeline-words" role="status">
        {atMs === undefined ? (
          'Now. Move the slider to see how it was.'
        ) : (
          <>
            As it was at <strong>{clock(atMs)}</strong>, {humanDuration((reach?.newestMs ?? Date.now()) - atMs)} ago
          </>
        )}
      </p>
      <div class="timeline-track">
        <input
          type="range"
          aria-label="Moment"
          aria-valuetext={clock(shownMs)}
          min={reach?.oldestMs ?? 0}
          max={reach ? reach.oldestMs + Math.ceil((reach.newestMs - reach.oldestMs) / stepMs) * stepMs : 1}
          step={stepMs}
          value={shownMs}
          disabled={!reach}
          onInput={(event) => move(Number(event.currentTarget.value))}
          onKeyDown={(event) => {
            // A moment within the last step stands at the end already: the key would change nothing.
            if (event.key === 'End' && reach) move(reach.newestMs)
          }}
        />
        <div class="timeline-marks" aria-hidden="true">
          {changes.map(({ time = '', object }) => (
            <span key={`${time}${object.metadata.uid}`} style={{ left: `${part(Date.parse(time)) * 100}%` }} />
          ))}
        </div>
      </div>
      {changes.length > 0 && (
        <select
          aria-label="Go to before a change"
          value=""
          onChange={(event) => move(Date.parse(event.currentTarget.value) - 1)}
        >
          <option value="">Before a change…</option>
          {changes.slice(0, 30).map(({ time = '', type, resource, user, manager, object }) => (
            <option key={`${time}${object.metadata.uid}`} value={time}>
              {clock(Date.parse(time))} {user ?? manager ?? 'somebody'} {words[type] ?? 'changed'}{' '}
              {resource.split('.')[0]}/{object.metadata.name}
            </option>
          ))}
        </select>
      )}
      <button type="button" class={atMs === undefined ? '' : 'primary'} onClick={leave}>
        {atMs === undefined ? 'Close' : 'Back to now'}
      </button>
    </section>
  )
}

const words: Record<string, string> = { ADDED: 'made', MODIFIED: 'changed', DELETED: 'deleted' }

const clock = (ms: number): string =>
  new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })
