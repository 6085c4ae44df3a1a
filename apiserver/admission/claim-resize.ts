import type { PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { compareQuantity } from '../../api/machinery/quantity.ts'
import type { AdmissionContext } from './context.ts'
import { refuse } from './refuse.ts'
import type { AdmissionPlugin } from './types.ts'

/** A claim may grow only once it is bound, and only if its storage class says that its volumes can. */
export function createPersistentVolumeClaimResize({ client, lookup }: AdmissionContext): AdmissionPlugin {
  const claims = lookup('', 'persistentvolumeclaims')
  const classes = lookup('storage.k8s.io', 'storageclasses')
  return {
    name: 'PersistentVolumeClaimResize',
    handles: ({ resource, operation, subresource }) =>
      resource === claims && operation === 'UPDATE' && subresource === '',
    validate(attributes) {
      const claim = attributes.object as unknown as Stored<PersistentVolumeClaim>
      const old = attributes.old as unknown as Stored<PersistentVolumeClaim>
      if (compareQuantity(sizeOf(claim), sizeOf(old)) <= 0) return
      if (old.status?.phase !== 'Bound') {
        throw refuse(attributes, 'Only bound persistent volume claims can be expanded')
      }
      const name = classOf(claim)
      const found = name === classOf(old) ? client.cached<Stored<StorageClass>>(classes, '', name) : undefined
      if (found?.allowVolumeExpansion) return
      throw refuse(
        attributes,
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      )
    },
  }
}

const sizeOf = ({ spec }: Stored<PersistentVolumeClaim>): string => spec?.resources?.requests?.storage ?? '0'
const classOf = ({ spec, metadata }: Stored<PersistentVolumeClaim>): string =>
  metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? ''
