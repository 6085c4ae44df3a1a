import { useEffect, useRef, useState } from 'preact/hooks'
import type { Pod } from '../../../api/generated/types.ts'
import type { Stored } from '../../../api/machinery/object.ts'
import { LineBuffer } from '../../model/line-buffer.ts'
import { Failure, Quiet } from '../../parts/states.tsx'
import { Virtual } from '../../parts/virtual.tsx'
import { kinds, pathOf } from '../../server/kinds.ts'
import { ask, openSocket } from '../../server/request.ts'
import { ContainerChoice } from './container-choice.tsx'

const atFirst = 1000
const rowHeight = 20

/** What a container prints, as it prints it. */
export function Logs({ pod }: { pod: Stored<Pod> }) {
  const [container, setContainer] = useState(pod.spec?.containers[0]?.name ?? '')
  const [previous, setPrevious] = useState(false)
  const [times, setTimes] = useState(false)
  const [words, setWords] = useState('')
  const { lines, state, fault } = useLog(pod, container, previous, times)
  const shown = words === '' ? lines : lines.filter((line) => line.toLowerCase().includes(words.toLowerCase()))
  return (
    <div class="logs">
      <div class="bar">
        <ContainerChoice pod={pod} value={container} onChange={setContainer} />
        <label class="check">
          <input type="checkbox" checked={previous} onChange={() => setPrevious(!previous)} /> before the restart
        </label>
        <label class="check">
          <input type="checkbox" checked={times} onChange={() => setTimes(!times)} /> times
        </label>
        <input
          type="search"
          class="filter"
          placeholder="Filter lines"
          aria-label="Filter lines"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
        <span class="muted" role="status">
          {state}
        </span>
      </div>
      {fault ? (
        <Failure>{fault}</Failure>
      ) : shown.length === 0 ? (
        <Quiet title={words ? 'No line has these words' : 'Nothing printed yet'} />
      ) : (
        <Virtual
          label={`Log of ${container}`}
          role="log"
          class="log code"
          follow
          count={shown.length}
          rowHeight={rowHeight}
          row={(i) => (
            <div key={i} class="log-line">
              {shown[i] || ' '}
            </div>
          )}
        />
      )}
    </div>
  )
}

/** Follows a log over a socket. */
function useLog(pod: Stored<Pod>, container: string, previous: boolean, times: boolean) {
  const { namespace = '', name = '' } = pod.metadata
  const buffer = useRef(new LineBuffer())
  const [, redraw] = useState(0)
  const [state, setState] = useState('')
  const [fault, setFault] = useState('')
  // A container that has been started anew has a log of its own.
  const id = pod.status?.containerStatuses?.find((each) => each.name === container)?.containerID ?? ''
  useEffect(() => {
    const lines = new LineBuffer()
    buffer.current = lines
    setFault('')
    setState('Connecting…')
    redraw((n) => n + 1)
    const query = new URLSearchParams({ container, tailLines: String(atFirst) })
    if (previous) query.set('previous', 'true')
    else query.set('follow', 'true')
    if (times) query.set('timestamps', 'true')
    const path = `${pathOf(kinds.pods, namespace, name)}/log?${query}`
    const socket = openSocket(path, 'binary.k8s.io')
    const decoder = new TextDecoder()
    let opened = false
    let drawing = false
    socket.onopen = () => {
      opened = true
      setState(previous ? 'Reading' : 'Following')
    }
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      lines.add(decoder.decode(data, { stream: true }))
      if (drawing) return
      drawing = true
      requestAnimationFrame(() => {
        drawing = false
        redraw((n) => n + 1)
      })
    }
    socket.onclose = () => {
      setState('The log has ended')
      if (opened) return
      // A socket does not tell why it was refused; a plain request does.
      ask(
        `${pathOf(kinds.pods, namespace, name)}/log?${new URLSearchParams({ container, tailLines: '1', ...(previous ? { previous: 'true' } : {}) })}`,
      )
        .then(() => setFault('The log could not be followed.'))
        .catch((error: Error) => setFault(error.message))
    }
    return () => {
      socket.onclose = null
      socket.close()
    }
  }, [namespace, name, container, previous, times, id])
  return { lines: buffer.current.lines, state, fault }
}
