import { useEffect, useState } from 'preact/hooks'
import { type DiffLine, diffLines, withContext } from '../../model/diff.ts'
import { readable } from '../../model/manifest.ts'
import { moment } from '../../moment.ts'
import { Failure, Loading } from '../../parts/states.tsx'
import { type Kind, pathOf } from '../../server/kinds.ts'
import { askPastManifest } from '../../server/past.ts'
import { ask, ServerError } from '../../server/request.ts'
import type { TabProps } from './object.tsx'

const yaml = 'application/yaml'

/** The object as it is asked for, changed text, or what the server would make of it. */
type Stage =
  | { at: 'reading' }
  | { at: 'editing'; fault?: string }
  | { at: 'asking' }
  | { at: 'reviewing'; lines: DiffLine[]; fault?: string }
  | { at: 'applied' }

/** An object's YAML. What is changed in it is shown as the server would take it before it is applied. */
export function Manifest({ kind, object: { metadata } }: TabProps) {
  const path = pathOf(kind, metadata.namespace, metadata.name)
  const [standing, setStanding] = useState<string>()
  const [text, setText] = useState('')
  const [stage, setStage] = useState<Stage>({ at: 'reading' })
  const [fault, setFault] = useState('')
  const atMs = moment.use()
  const editing = stage.at !== 'reading' && stage.at !== 'applied'
  useEffect(() => {
    // What is being edited stays what it is: a change made meanwhile is refused as a conflict.
    if (editing) return
    const asked = new AbortController()
    const { namespace = '', name = '' } = metadata
    const reading =
      atMs === undefined
        ? ask(path, { accept: yaml, signal: asked.signal })
        : askPastManifest(kind, namespace, name, atMs, asked.signal)
    reading
      .then((answer) => {
        const manifest = readable(answer)
        setStanding(manifest)
        setText(manifest)
        setFault('')
      })
      .catch((error: Error) => {
        if (!asked.signal.aborted) setFault(error.message)
      })
    return () => asked.abort()
  }, [path, metadata.resourceVersion, editing, atMs])
  if (fault) return <Failure>{fault}</Failure>
  if (standing === undefined) return <Loading what="the manifest" />

  const review = () => {
    setStage({ at: 'asking' })
    put(path, text, kind, true)
      .then((would) => setStage({ at: 'reviewing', lines: diffLines(standing, readable(would)) }))
      .catch((error: Error) => setStage({ at: 'editing', fault: error.message }))
  }
  const apply = (lines: DiffLine[]) => {
    setStage({ at: 'asking' })
    put(path, text, kind, false)
      .then((made) => {
        setStanding(readable(made))
        setStage({ at: 'applied' })
      })
      .catch((error: Error) => setStage({ at: 'reviewing', lines, fault: error.message }))
  }
  const giveUp = () => {
    setText(standing)
    setStage({ at: 'reading' })
  }
  if (stage.at === 'reviewing') {
    const changed = stage.lines.some(({ kind: line }) => line !== 'same')
    return (
      <div class="manifest">
        <div class="bar">
          <p>{changed ? 'This is what the server would make of it.' : 'The server would change nothing.'}</p>
          <button type="button" onClick={() => setStage({ at: 'editing' })}>
            Back to the text
          </button>
          <button type="button" class="primary" disabled={!changed} onClick={() => apply(stage.lines)}>
            Apply
          </button>
        </div>
        {stage.fault && <Failure>{stage.fault}</Failure>}
        <Diff lines={stage.lines} />
      </div>
    )
  }
  return (
    <div class="manifest">
      <div class="bar">
        {stage.at === 'applied' ? (
          <p role="status">Applied.</p>
        ) : (
          <p class="muted">{hint(editing, atMs !== undefined)}</p>
        )}
        {atMs !== undefined ? null : editing ? (
          <>
            <button type="button" onClick={giveUp}>
              Give up
            </button>
            <button
              type="button"
              class="primary"
              disabled={stage.at === 'asking' || text === standing}
              onClick={review}
            >
              Show what would change
            </button>
          </>
        ) : (
          <button type="button" class="primary" onClick={() => setStage({ at: 'editing' })}>
            Edit
          </button>
        )}
      </div>
      {stage.at === 'editing' && stage.fault && <Failure>{stage.fault}</Failure>}
      <textarea
        class="code"
        aria-label={`YAML of ${metadata.name}`}
        spellcheck={false}
        readOnly={!editing}
        value={editing ? text : standing}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </div>
  )
}

function hint(editing: boolean, past: boolean): string {
  if (past) return 'As it was then, without managedFields.'
  return editing ? 'Nothing is written before you have seen what would change.' : 'As it stands, without managedFields.'
}

/** Replaces the object, or only says what would come of it. */
async function put(path: string, body: string, kind: Kind, dryRun: boolean): Promise<string> {
  const query = new URLSearchParams({ fieldManager: 'gantry-dashboard', fieldValidation: 'Strict' })
  if (dryRun) query.set('dryRun', 'All')
  try {
    return await ask(`${path}?${query}`, { method: 'PUT', body, type: yaml, accept: yaml })
  } catch (error) {
    if (error instanceof ServerError && error.code === 409) {
      throw new Error(
        `Somebody else has changed this ${kind.kind} meanwhile. Give up and edit it as it stands now. (${error.message})`,
      )
    }
    throw error
  }
}

const marks = { same: ' ', removed: '-', added: '+' }
const spoken = { same: '', removed: 'removed: ', added: 'added: ' }

function Diff({ lines }: { lines: readonly DiffLine[] }) {
  const shown = withContext(lines)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section class="code diff" tabIndex={0} aria-label="What would change">
      {shown.map((line, i) =>
        line ? (
          <div key={i} class={`diff-${line.kind}`}>
            <span aria-hidden="true">{marks[line.kind]} </span>
            {spoken[line.kind] && <span class="unseen">{spoken[line.kind]}</span>}
            {line.text || ' '}
          </div>
        ) : (
          <div key={i} class="diff-gap">
            …
          </div>
        ),
      )}
    </section>
  )
}
