import { useState } from 'preact/hooks'
import type { KubeObject } from '../../../api/machinery/object.ts'
import { apiVersionOf } from '../../../api/machinery/object.ts'
import { type Branch, treeOf } from '../../model/owned.ts'
import { Badge } from '../../parts/states.tsx'
import { kinds, knownKind, linkTo } from '../../server/kinds.ts'
import { useKind } from '../../server/use.ts'
import type { TabProps } from './object.tsx'

const owners = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Pod'])

/** The object between those it belongs to and those that belong to it. */
export function Tree(props: TabProps) {
  return owners.has(props.kind.kind) ? <OwnedTree {...props} /> : <Owners object={props.object} />
}

function OwnedTree({ kind, object }: TabProps) {
  const namespace = object.metadata.namespace ?? ''
  const replicaSets = useKind<KubeObject>(kinds.replicaSets, namespace)
  const jobs = useKind<KubeObject>(kinds.jobs, namespace)
  const pods = useKind<KubeObject>(kinds.pods, namespace)
  const source = (of: (typeof kinds)[keyof typeof kinds], from: typeof pods) => ({
    kind: of.kind,
    apiVersion: apiVersionOf(of.group, of.version),
    objects: from.items.values(),
  })
  const tree = treeOf({ kind: kind.kind, apiVersion: apiVersionOf(kind.group, kind.version) }, object, [
    source(kinds.replicaSets, replicaSets),
    source(kinds.jobs, jobs),
    source(kinds.pods, pods),
  ])
  const hidden = [replicaSets, jobs, pods].find(({ phase }) => phase === 'refused')
  return (
    <section class="card" aria-labelledby="tree">
      <h2 id="tree">Belongs together</h2>
      <OwnerLinks object={object} />
      <ul class="tree">
        <TreeBranch branch={tree} own />
      </ul>
      {hidden && <p class="muted">Parts are hidden: {hidden.message}</p>}
    </section>
  )
}

function Owners({ object }: { object: KubeObject }) {
  if (!object.metadata.ownerReferences?.length) return null
  return (
    <section class="card" aria-label="Owners">
      <OwnerLinks object={object} />
    </section>
  )
}

function OwnerLinks({ object: { metadata } }: { object: KubeObject }) {
  const references = metadata.ownerReferences ?? []
  if (references.length === 0) return null
  return (
    <p class="owners">
      Belongs to{' '}
      {references.map(({ uid, kind, name, apiVersion }, i) => {
        const of = knownKind(apiVersion, kind)
        const text = `${kind}/${name}`
        return (
          <span key={uid}>
            {i > 0 && ', '}
            {of ? <a href={linkTo(of, of.namespaced ? (metadata.namespace ?? '') : '', name)}>{text}</a> : text}
          </span>
        )
      })}
    </p>
  )
}

const shownAtFirst = 12

function TreeBranch({ branch, own = false }: { branch: Branch; own?: boolean }) {
  const { kind, apiVersion, namespace, name, health, state } = branch
  const [all, setAll] = useState(false)
  const of = knownKind(apiVersion, kind)
  // Revisions that nothing belongs to any more are there to go back to, and in the way of what is.
  const live = branch.children.filter(
    (child) => child.kind !== 'ReplicaSet' || child.children.length > 0 || child.health !== 'over',
  )
  const children = all ? branch.children : live.slice(0, shownAtFirst)
  const left = branch.children.length - children.length
  return (
    <li>
      <span class="tree-line">
        <span class="tree-kind">{kind}</span>
        {of && !own ? <a href={linkTo(of, namespace, name)}>{name}</a> : <strong>{name}</strong>}
        {state && <Badge health={health}>{state}</Badge>}
      </span>
      {(children.length > 0 || left > 0) && (
        <ul>
          {children.map((child) => (
            <TreeBranch key={child.object?.metadata.uid} branch={child} />
          ))}
          {left > 0 && (
            <li>
              <button type="button" class="plain" onClick={() => setAll(true)}>
                {left} more
              </button>
            </li>
          )}
        </ul>
      )}
    </li>
  )
}
