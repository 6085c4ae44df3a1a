import type { AdmissionContext } from './context.ts'
import type { AdmissionPlugin } from './types.ts'

/** Puts the finalizers on volumes and claims by which a controller keeps them as long as they are in use. */
export function createStorageObjectInUseProtection({ lookup }: AdmissionContext): AdmissionPlugin {
  const finalizers = new Map([
    [lookup('', 'persistentvolumes'), 'kubernetes.io/pv-protection'],
    [lookup('', 'persistentvolumeclaims'), 'kubernetes.io/pvc-protection'],
    [lookup('storage.k8s.io', 'volumeattributesclasses'), 'kubernetes.io/vac-protection'],
  ])
  return {
    name: 'StorageObjectInUseProtection',
    handles: ({ resource, operation, subresource }) =>
      operation === 'CREATE' && subresource === '' && finalizers.has(resource),
    admit({ resource, object }) {
      const finalizer = finalizers.get(resource)
      if (!object || finalizer === undefined || object.metadata.finalizers?.includes(finalizer)) return
      object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer]
    },
  }
}
