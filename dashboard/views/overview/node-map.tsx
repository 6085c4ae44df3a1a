import { useMemo } from 'preact/hooks'
import { type Amounts, allocatableOf, cpuText, memoryText } from '../../model/amounts.ts'
import { barOf, type NodeBar, type NodeObject, type Piece, podsByNode } from '../../model/node-map.ts'
import { type PodObject, viewOf } from '../../model/pods.ts'
import { Await, Badge, Quiet, Refused } from '../../parts/states.tsx'
import { Virtual } from '../../parts/virtual.tsx'
import { shownNamespace } from '../../route.ts'
import { keyOf, kinds, linkTo } from '../../server/kinds.ts'
import { useUsage } from '../../server/usage.ts'
import { useKind } from '../../server/use.ts'

export type Scale = 'cpu' | 'memory'
export const scaleWords: Record<Scale, string> = { cpu: 'CPU', memory: 'Memory' }

const amountOf: Record<Scale, keyof Amounts> = { cpu: 'cpuCores', memory: 'memoryBytes' }
const rowHeight = 76

/** Nodes as bars as long as what they have, and in them their pods, as wide as what they ask for. */
export function NodeMap({ scale, atMost }: { scale: Scale; atMost?: number }) {
  const namespace = shownNamespace.use()
  const nodes = useKind<NodeObject>(kinds.nodes)
  const pods = useKind<PodObject>(kinds.pods, namespace)
  const { usage, nodes: nodeUsage } = useUsage(namespace)
  const { version } = pods
  const byNode = useMemo(() => podsByNode(pods.items.values()), [pods, version])
  const all = [...nodes.items.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const largest = Math.max(0, ...all.map((node) => allocatableOf(node)[amountOf[scale]]))
  const row = (i: number) => {
    const node = all[i] as NodeObject
    const name = node.metadata.name ?? ''
    const bar = barOf(node, byNode.get(name) ?? [], amountOf[scale], largest, usage)
    return <NodeRow key={name} bar={bar} scale={scale} uses={nodeUsage.get(name)} />
  }
  return (
    <Await what="nodes" of={nodes}>
      {pods.phase === 'refused' && <Refused what="pods here" message={pods.message} />}
      {all.length === 0 ? (
        <Quiet title="No nodes yet">A node shows up here as soon as its agent has registered it.</Quiet>
      ) : atMost !== undefined && all.length <= atMost ? (
        <div class="node-list">{all.map((_, i) => row(i))}</div>
      ) : (
        <Virtual label={`Nodes, ${all.length}`} class="node-list" count={all.length} rowHeight={rowHeight} row={row} />
      )}
    </Await>
  )
}

function NodeRow({ bar, scale, uses }: { bar: NodeBar; scale: Scale; uses: Amounts | undefined }) {
  const { node, ready, cordoned, size, pieces, requested, allocatable } = bar
  const name = node.metadata.name ?? ''
  const of = amountOf[scale]
  const text = scale === 'cpu' ? cpuText : memoryText
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows that are not in sight are not in the document, so there is no list element
    <div class="node-row" role="listitem">
      <div class="node-label">
        <a href={linkTo(kinds.nodes, '', name)}>{name}</a>
        <Badge health={ready ? (cordoned ? 'busy' : 'good') : 'bad'}>
          {ready ? (cordoned ? 'Cordoned' : 'Ready') : 'Not ready'}
        </Badge>
        <p class="muted">
          {text(requested[of])} asked for{uses ? `, ${text(uses[of])} used` : ''} of {text(allocatable[of])}
        </p>
      </div>
      <div class="node-track">
        <PieceBar pieces={pieces} size={size} name={name} />
        {uses && allocatable[of] > 0 && (
          <div class="node-use" style={{ width: `${size * 100}%` }} aria-hidden="true">
            <div style={{ width: `${Math.min(1, uses[of] / allocatable[of]) * 100}%` }} />
          </div>
        )}
      </div>
    </div>
  )
}

/** One stop for the tabulator; the arrows go from pod to pod. */
function PieceBar({ pieces, size, name }: { pieces: readonly Piece[]; size: number; name: string }) {
  const onKeyDown = (event: KeyboardEvent & { currentTarget: HTMLElement }) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (step === 0) return
    event.preventDefault()
    const links = [...event.currentTarget.querySelectorAll('a')]
    const at = links.indexOf(document.activeElement as HTMLAnchorElement)
    links[Math.max(0, Math.min(links.length - 1, at + step))]?.focus()
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    <div
      class="node-bar"
      role="group"
      aria-label={`${pieces.length} pods on ${name}; the arrow keys go from one to the next`}
      style={{ width: `${size * 100}%` }}
      onKeyDown={onKeyDown}
    >
      {pieces.map(({ pod, left, width, use }, i) => (
        <a
          key={pod.metadata.uid}
          href={linkTo(kinds.pods, pod.metadata.namespace ?? '', pod.metadata.name ?? '')}
          tabIndex={i === 0 ? 0 : -1}
          class={`piece ${viewOf(pod).health}`}
          title={titleOf(pod, use)}
          aria-label={titleOf(pod, use)}
          style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
        >
          <span
            class={use !== undefined && use > 1 ? 'piece-use over' : 'piece-use'}
            style={{ height: `${Math.min(1, use ?? 0) * 100}%` }}
          />
        </a>
      ))}
    </div>
  )
}

function titleOf(pod: PodObject, use: number | undefined): string {
  const uses = use === undefined ? '' : `, uses ${Math.round(use * 100)} % of what it asks for`
  return `${keyOf(pod)}: ${viewOf(pod).status}${uses}`
}
