import type { Plugin } from '../framework/plugin.ts'
import { refusal } from '../framework/refusal.ts'

const name = 'SchedulingGates'

/** Keeps a pod out of the queue until all its gates are gone. */
export const schedulingGates: Plugin = {
  name,
  hints: [{ on: ['Pod/UpdateGatesEliminated'], worthATry: (pod, { pod: changed }) => changed?.after?.uid === pod.uid }],
  preEnqueue({ pod }) {
    const gates = pod.spec?.schedulingGates ?? []
    if (gates.length === 0) return undefined
    const names = gates.map((gate) => gate.name).join(' ')
    return refusal(name, 'UnschedulableAndUnresolvable', `waiting for scheduling gates: [${names}]`)
  },
}
