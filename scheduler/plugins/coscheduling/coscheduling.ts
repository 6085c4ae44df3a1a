import type { Clock } from '../../../client/types.ts'
import type { Cache } from '../../cache/cache.ts'
import { type Gangs, gangKey } from '../../cache/gangs.ts'
import type { Plugin } from '../../framework/plugin.ts'
import { type Refusal, refusal } from '../../framework/refusal.ts'
import { Denials } from './denials.ts'

const name = 'Coscheduling'

export interface CoschedulingContext {
  cache: Cache
  gangs: Gangs
  clock: Clock
  stopping: AbortSignal
  /** Tries a pod that waits for its turn now. */
  activate: (uid: string) => void
  /** The pod is kept out of the queue no longer. */
  opened: (uid: string) => void
}

/** Ends the waiting of one pod: it may go, or is refused. */
type Decide = (refused?: Refusal) => void

/**
 * Gives the pods of a gang nodes together or not at all: those that have found one wait for the others with it, and give it
 * back when one finds none, or when time is up. A gang that failed so rests for a while, so that others get a turn.
 */
export function newCoscheduling({ cache, gangs, clock, stopping, activate, opened }: CoschedulingContext): Plugin {
  const waiting = new Map<string, Map<string, Decide>>()
  const denials: Denials = new Denials(clock, stopping, (key) => {
    const members = gangs.members(key)
    if (members.size === 0) denials.forgive(key)
    for (const uid of members.keys()) opened(uid)
  })

  /** How many have a node, be it for good or only kept for them. */
  const placed = (key: string) => [...gangs.members(key).keys()].filter((uid) => cache.pod(uid)).length

  function decide(key: string, refused?: Refusal): void {
    const decisions = waiting.get(key)
    waiting.delete(key)
    for (const end of decisions?.values() ?? []) end(refused)
  }

  return {
    name,
    hints: [
      {
        on: ['UnscheduledPod/Add'],
        worthATry: (pod, { pod: changed }) => changed?.after !== undefined && gangKey(changed.after) === gangKey(pod),
      },
      {
        // What a mate gives back is not what the gang lacks.
        on: ['Pod/Delete'],
        worthATry: (pod, { pod: changed }) => changed?.before !== undefined && gangKey(changed.before) !== gangKey(pod),
      },
      { on: ['Node/Add', 'Node/UpdateAllocatable', 'Node/UpdateLabel', 'Node/UpdateTaint', 'Pod/UpdateScaleDown'] },
    ],
    preEnqueue(pod) {
      const key = gangKey(pod)
      if (!pod.gang || key === undefined) return undefined
      return tooFew(pod.gang.minMembers, gangs.members(key).size) ?? (denials.has(key) ? resting(key) : undefined)
    },
    preFilter(_state, pod) {
      const key = gangKey(pod)
      if (!pod.gang || key === undefined) return 'skip'
      // A mate may have gone since the pod came into the queue.
      return tooFew(pod.gang.minMembers, gangs.members(key).size) ?? 'skip'
    },
    postFilter(_state, pod) {
      const key = gangKey(pod)
      if (!pod.gang || key === undefined || !waiting.has(key)) return undefined
      denials.deny(key)
      decide(key, refusal(name, 'Unschedulable', `pod ${pod.name} of gang ${pod.gang.name} has found no node`))
      return { message: `gang ${pod.gang.name}: the nodes kept for its other pods are given back.` }
    },
    permit(_state, pod) {
      const key = gangKey(pod)
      if (!pod.gang || key === undefined) return undefined
      const { minMembers, timeoutMs } = pod.gang
      if (placed(key) >= minMembers) {
        denials.forgive(key)
        decide(key)
        return undefined
      }
      for (const uid of gangs.members(key).keys()) activate(uid)
      const until = new Promise<Refusal | undefined>((resolve) => {
        const decisions = waiting.get(key) ?? new Map<string, Decide>()
        decisions.set(pod.uid, resolve)
        waiting.set(key, decisions)
      })
      return { until, timeoutMs }
    },
    unreserve(_state, pod) {
      const key = gangKey(pod)
      if (key === undefined || !waiting.get(key)?.delete(pod.uid)) return
      // Its time is up, or something else has failed: nobody waits for it in vain.
      denials.deny(key)
      decide(key, refusal(name, 'Unschedulable', `pod ${pod.name} of gang ${pod.gang?.name} has given its node back`))
    },
  }
}

const tooFew = (wanted: number, there: number): Refusal | undefined =>
  there < wanted
    ? refusal(name, 'UnschedulableAndUnresolvable', `waiting for ${wanted - there} more pod(s) of the gang`)
    : undefined

const resting = (key: string): Refusal =>
  refusal(name, 'UnschedulableAndUnresolvable', `gang ${key} did not find room for all and rests for a while`)
