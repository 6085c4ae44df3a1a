import type { Pod } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { AdmissionContext } from './context.ts'
import type { AdmissionPlugin } from './types.ts'

const tolerationSeconds = 300
const taints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const

/** Lets a pod stay five minutes on a node that is not ready or not reachable, unless it says otherwise. */
export function createDefaultTolerationSeconds({ lookup }: AdmissionContext): AdmissionPlugin {
  const pods = lookup('', 'pods')
  return {
    name: 'DefaultTolerationSeconds',
    handles: ({ resource, operation, subresource }) =>
      resource === pods && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
    admit({ object }) {
      const { spec } = object as unknown as Stored<Pod>
      if (!spec) return
      for (const key of taints) {
        const isTolerated = spec.tolerations?.some(
          (toleration) =>
            (!toleration.key || toleration.key === key) && (!toleration.effect || toleration.effect === 'NoExecute'),
        )
        if (isTolerated) continue
        const toleration = { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }
        spec.tolerations = [...(spec.tolerations ?? []), toleration]
      }
    },
  }
}
