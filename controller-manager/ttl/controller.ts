import type { Node } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { nodes } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'

const annotation = 'node.alpha.kubernetes.io/ttl'
/** The larger the cluster, the longer nodes may keep what they have read. Steps overlap, so that none is walked to and fro. */
const steps = [
  { from: 0, to: 100, seconds: 0 },
  { from: 90, to: 500, seconds: 15 },
  { from: 450, to: 1000, seconds: 30 },
  { from: 900, to: 2000, seconds: 60 },
  { from: 1800, to: Number.POSITIVE_INFINITY, seconds: 300 },
] as const

/** The step of a cluster of that many nodes, coming from another. */
export function stepFor(count: number, step: number): number {
  let next = step
  while (count > (steps[next]?.to ?? 0)) next++
  while (next > 0 && count < (steps[next]?.from ?? 0)) next--
  return next
}

/** Tells each node for how long it may keep secrets and config maps without asking again. */
export function newTtlController({ api, clock, informers }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'ttlcontroller' })
  const all = informers.for<Node>(nodes)
  let count = 0
  let step = 0
  const counted = (change: number) => {
    count += change
    const next = stepFor(count, step)
    if (next === step) return
    step = next
    for (const { metadata } of all.lister.list()) queue.add(metadata.name)
  }
  const look = ({ metadata }: Live<Node>) => queue.add(metadata.name)
  all.on({
    add: (node) => {
      counted(1)
      look(node)
    },
    update: (_, after) => look(after),
    delete: () => counted(-1),
  })
  return {
    name: 'ttl',
    workers: 5,
    queue,
    async reconcile(name, signal) {
      const wanted = String(steps[step]?.seconds)
      const node = all.lister.get(undefined, name)
      if (!node || node.metadata.annotations?.[annotation] === wanted) return
      const body = { metadata: { annotations: { [annotation]: wanted } } }
      await api.patch<Node>(nodes, { name }, { type: 'strategic', body }, { signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    },
  }
}
