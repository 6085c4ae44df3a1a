import type { PodSpec } from '../../generated/types.ts'
import { visitContainers } from './containers-of.ts'

/**
 * Drops the fields that upstream 1.36 keeps behind feature gates that are off by default (stop signals, trust bundles,
 * pod certificates, scheduling groups): nobody may rely on what no component acts on.
 */
export function dropDisabledFields(spec: PodSpec | undefined): void {
  if (!spec) return
  if (spec.schedulingGroup) delete spec.schedulingGroup
  if (spec.volumes) {
    for (const { projected } of spec.volumes) {
      for (const source of projected?.sources ?? []) {
        if (source.clusterTrustBundle) delete source.clusterTrustBundle
        if (source.podCertificate) delete source.podCertificate
      }
    }
  }
  visitContainers(spec, '', ({ lifecycle }) => {
    if (lifecycle?.stopSignal !== undefined) delete lifecycle.stopSignal
  })
}
