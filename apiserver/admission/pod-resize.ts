import { isDeepStrictEqual } from 'node:util'
import { podTotal } from '../../api/core/pod-total.ts'
import type { Node, Pod } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { compareQuantity, quantityMilli, quantityValue } from '../../api/machinery/quantity.ts'
import type { AdmissionContext } from './context.ts'
import { refuse } from './refuse.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './types.ts'

/** A pod cannot be resized beyond what its node has at all, nor on a node that cannot do it. */
export function createPodResizeValidator({ client, lookup }: AdmissionContext): AdmissionPlugin {
  const pods = lookup('', 'pods')
  const nodes = lookup('', 'nodes')
  return {
    name: 'PodResizeValidator',
    handles: ({ resource, operation, subresource }) =>
      resource === pods && subresource === 'resize' && operation === 'UPDATE',
    validate(attributes) {
      const pod = attributes.object as unknown as Stored<Pod>
      const nodeName = pod.spec?.nodeName
      if (!nodeName || isDeepStrictEqual(pod.spec, attributes.old?.spec)) return
      const node = client.cached<Stored<Node>>(nodes, '', nodeName)
      if (!node) throw refuse(attributes, `node ${JSON.stringify(nodeName)} not found`)
      const os = node.metadata.labels?.['kubernetes.io/os'] ?? 'linux'
      if (os !== 'linux') {
        const on = `node ${JSON.stringify(nodeName)} is ${JSON.stringify(os)}`
        throw because(attributes, 'UnsupportedPlatform', `pod resize is only supported on linux nodes, ${on}`)
      }
      const faults = beyond(pod, node.status?.allocatable ?? {})
      if (faults.length === 0) return
      const what = `node didn't have enough allocatable resources: ${faults.join('; ')}`
      throw because(attributes, 'NodeCapacity', what)
    },
  }
}

function beyond(pod: Stored<Pod>, allocatable: Record<string, string>): string[] {
  const requests = podTotal(pod as unknown as Pod, 'requests')
  return (['cpu', 'memory'] as const).flatMap((name) => {
    const [requested = '0', has = '0'] = [requests[name], allocatable[name]]
    if (compareQuantity(requested, has) <= 0) return []
    const amount = name === 'cpu' ? quantityMilli : quantityValue
    return [`${name}, requested: ${amount(requested)}, allocatable: ${amount(has)}`]
  })
}

/** The refusal with the cause by which programs tell it from others. */
function because(attributes: AdmissionAttributes, cause: string, why: string): StatusError {
  const { code, reason, message, details } = refuse(attributes, why)
  return new StatusError(code, reason, message, { ...details, causes: [{ reason: cause }] })
}
