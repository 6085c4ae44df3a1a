import type { Pod } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { AdmissionContext } from './context.ts'
import type { AdmissionPlugin } from './types.ts'

/** Lets a pod that asks for an extended resource onto the nodes that are tainted to be kept for it. */
export function createExtendedResourceToleration({ lookup }: AdmissionContext): AdmissionPlugin {
  const pods = lookup('', 'pods')
  return {
    name: 'ExtendedResourceToleration',
    handles: ({ resource, operation, subresource }) =>
      resource === pods && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
    admit({ object }) {
      const { spec } = object as unknown as Stored<Pod>
      if (!spec) return
      const names = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
        Object.keys(resources?.requests ?? {}).filter(isExtended),
      )
      for (const key of [...new Set(names)].sort()) {
        const tolerations = spec.tolerations ?? []
        const isThere = tolerations.some(
          (own) => own.key === key && own.operator === 'Exists' && own.effect === 'NoSchedule',
        )
        if (!isThere) spec.tolerations = [...tolerations, { key, operator: 'Exists', effect: 'NoSchedule' }]
      }
    },
  }
}

/** A name with a domain that is not Kubernetes' own. */
const isExtended = (name: string): boolean =>
  name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.')
