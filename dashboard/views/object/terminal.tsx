import { useEffect, useRef, useState } from 'preact/hooks'
import type { Pod } from '../../../api/generated/types.ts'
import type { Stored } from '../../../api/machinery/object.ts'
import { Failure } from '../../parts/states.tsx'
import { ContainerChoice } from './container-choice.tsx'

/** A shell in one of the pod's containers. */
export function TerminalTab({ pod }: { pod: Stored<Pod> }) {
  const [container, setContainer] = useState(pod.spec?.containers[0]?.name ?? '')
  const [command, setCommand] = useState('sh')
  /** Counts the shells that were opened; none is, unless somebody asks. */
  const [opened, setOpened] = useState(0)
  const [state, setState] = useState('')
  const [fault, setFault] = useState('')
  const box = useRef<HTMLDivElement>(null)
  const { namespace = '', name = '' } = pod.metadata
  useEffect(() => {
    if (opened === 0 || !box.current) return
    const element = box.current
    const ended = new AbortController()
    setFault('')
    setState('Connecting…')
    // Half of what the page weighs, and few need it.
    import('./shell.ts')
      .then(({ openShell }) => {
        if (ended.signal.aborted) return
        openShell({
          element,
          target: { namespace, name, container, command: command.trim().split(/\s+/) },
          signal: ended.signal,
          onState: setState,
          onFault: setFault,
        })
      })
      .catch((error: Error) => setFault(`The terminal could not be loaded: ${error.message}`))
    return () => ended.abort()
  }, [opened])
  return (
    <div class="terminal">
      <form
        class="bar"
        onSubmit={(event) => {
          event.preventDefault()
          setOpened(opened + 1)
        }}
      >
        <ContainerChoice pod={pod} value={container} onChange={setContainer} />
        <label class="choice inline">
          Command
          <input type="text" value={command} onInput={(event) => setCommand(event.currentTarget.value)} />
        </label>
        <button type="submit" class="primary">
          {opened === 0 ? 'Open' : 'Open anew'}
        </button>
        <span class="muted" role="status">
          {state}
        </span>
      </form>
      {fault && <Failure>{fault}</Failure>}
      <div ref={box} class="shell" data-open={opened > 0} />
    </div>
  )
}
