import type { Service } from '../../generated/types.ts'
import { objectCountName, type QuotaEvaluator } from './evaluator.ts'

const countName = objectCountName('', 'services')
const serviceResources = [countName, 'services', 'services.nodeports', 'services.loadbalancers']

/** Services use node ports and load balancers, by their type. */
export const serviceEvaluator: QuotaEvaluator = {
  handles: ({ subresource }) => subresource === '',
  matching: (names) => names.filter((name) => serviceResources.includes(name)),
  usage(object) {
    const service = object as unknown as Service
    return {
      [countName]: '1',
      services: '1',
      'services.nodeports': String(nodePorts(service)),
      'services.loadbalancers': service.spec?.type === 'LoadBalancer' ? '1' : '0',
    }
  },
}

function nodePorts({ spec }: Service): number {
  const ports = spec?.ports ?? []
  if (spec?.type === 'NodePort') return ports.length
  if (spec?.type !== 'LoadBalancer') return 0
  return spec.allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort }) => nodePort).length : ports.length
}
