import type { Node } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { AdmissionContext } from './context.ts'
import type { AdmissionPlugin } from './types.ts'

const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

/** A new node is not ready: it starts with the taint that says so, and no pod slips in before a controller adds it. */
export function createTaintNodesByCondition({ lookup }: AdmissionContext): AdmissionPlugin {
  const nodes = lookup('', 'nodes')
  return {
    name: 'TaintNodesByCondition',
    handles: ({ resource, operation, subresource }) =>
      resource === nodes && operation === 'CREATE' && subresource === '',
    admit({ object }) {
      const node = object as unknown as Stored<Node>
      const taints = node.spec?.taints ?? []
      if (taints.some(({ key, effect }) => key === notReady.key && effect === notReady.effect)) return
      node.spec = { ...node.spec, taints: [...taints, { ...notReady }] }
    },
  }
}
