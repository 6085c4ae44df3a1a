import { useEffect, useState } from 'preact/hooks'
import type { Pod } from '../../../api/generated/types.ts'
import type { AnyObject, Stored } from '../../../api/machinery/object.ts'
import { age } from '../../../api/machinery/print.ts'
import { stateOf } from '../../model/owned.ts'
import { moment } from '../../moment.ts'
import { Heading } from '../../parts/heading.tsx'
import { Await, Badge, Failure, Loading, Quiet } from '../../parts/states.tsx'
import { servedKinds } from '../../server/discovery.ts'
import { type Kind, kinds, linkTo } from '../../server/kinds.ts'
import { useKind, useNow } from '../../server/use.ts'
import type { ViewProps } from '../views.tsx'
import { Facts } from './facts.tsx'
import { History } from './history.tsx'
import { Logs } from './logs.tsx'
import { Manifest } from './manifest.tsx'
import { NodePods } from './node-pods.tsx'
import { TerminalTab } from './terminal.tsx'

export interface TabProps {
  kind: Kind
  object: AnyObject
}

/** Some there are only of one kind, or only now. */
const tabs: Record<string, { label: string; only?: string; now?: true }> = {
  overview: { label: 'Overview' },
  pods: { label: 'Pods', only: 'Node' },
  logs: { label: 'Logs', only: 'Pod', now: true },
  terminal: { label: 'Terminal', only: 'Pod', now: true },
  yaml: { label: 'YAML' },
  history: { label: 'History' },
}

/** One object, followed as it changes. */
export function ObjectPage({
  parts: [group = '', version = '', plural = '', namespace = '', name = '', tab],
}: ViewProps) {
  const [kind, setKind] = useState<Kind | undefined>(() => known(group, version, plural))
  const [fault, setFault] = useState('')
  useEffect(() => {
    if (kind) return
    servedKinds().then(
      (served) => {
        const found = served.find((each) => (each.group || 'core') === group && each.plural === plural)
        if (found) setKind({ ...found, version })
        else setFault(`the server has no kind ${plural} in ${group}/${version}`)
      },
      (error: Error) => setFault(error.message),
    )
  }, [kind, group, version, plural])
  if (fault) return <Failure>{fault}</Failure>
  if (!kind) return <Loading what={name} />
  return <Followed kind={kind} namespace={namespace === '-' ? '' : namespace} name={name} tab={tab ?? 'overview'} />
}

const known = (group: string, version: string, plural: string): Kind | undefined =>
  Object.values(kinds).find(
    (kind) => (kind.group || 'core') === group && kind.version === version && kind.plural === plural,
  )

function Followed({ kind, namespace, name, tab }: { kind: Kind; namespace: string; name: string; tab: string }) {
  const selector = encodeURIComponent(`metadata.name=${name}`)
  const found = useKind<AnyObject>(kind, namespace, `?fieldSelector=${selector}`)
  const [object] = found.items.values()
  const nowMs = useNow()
  const past = moment.use() !== undefined
  const last = useLast(object)
  // What was not there then was not there; what has gone just now is still worth a look.
  const shown = object ?? (past ? undefined : last)
  const heading = (
    <Heading
      title={name}
      sub={
        <>
          <a href={`#/kinds/${kind.group || 'core'}/${kind.version}/${kind.plural}`}>{kind.kind}</a>
          {namespace && <> in {namespace}</>}
          {shown && <>, {age(shown.metadata.creationTimestamp, nowMs)} old</>}
        </>
      }
    >
      {object && stateOf(kind.kind, object).state && (
        <Badge health={stateOf(kind.kind, object).health}>{stateOf(kind.kind, object).state}</Badge>
      )}
    </Heading>
  )
  return (
    <div class="view fill">
      {heading}
      <Await what={`${kind.kind} ${name}`} of={found}>
        {!shown ? (
          <Quiet title="It is not there">
            There is no {kind.kind} {name}
            {namespace && ` in ${namespace}`}
            {past ? ' at this moment.' : '. If it is made, it shows up here.'}
          </Quiet>
        ) : (
          <>
            {!object && (
              <div class="notice" role="status">
                {kind.kind} {name} has been deleted. This is how it was last.
              </div>
            )}
            <nav class="tabs" aria-label={`Views of ${name}`}>
              {Object.entries(tabs)
                .filter(([, { only, now }]) => (only ?? kind.kind) === kind.kind && !(now && past))
                .map(([id, { label }]) => (
                  <a key={id} href={linkTo(kind, namespace, name, id)} aria-current={id === tab ? 'page' : undefined}>
                    {label}
                  </a>
                ))}
            </nav>
            <Tab kind={kind} object={shown} tab={tab} />
          </>
        )}
      </Await>
    </div>
  )
}

/** What an object was before it went. */
function useLast(object: AnyObject | undefined): AnyObject | undefined {
  const [last, setLast] = useState(object)
  useEffect(() => {
    if (object) setLast(object)
  }, [object])
  return last
}

function Tab({ kind, object, tab }: TabProps & { tab: string }) {
  switch (tab) {
    case 'yaml':
      return <Manifest kind={kind} object={object} />
    case 'logs':
      return <Logs pod={object as unknown as Stored<Pod>} />
    case 'terminal':
      return <TerminalTab pod={object as unknown as Stored<Pod>} />
    case 'history':
      return <History kind={kind} object={object} />
    case 'pods':
      return <NodePods node={object.metadata.name ?? ''} />
    default:
      return <Facts kind={kind} object={object} />
  }
}
