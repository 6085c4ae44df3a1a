import { defaultClassAnnotations } from '../../api/core/volume-binding.ts'
import type { Ingress, PersistentVolumeClaim } from '../../api/generated/types.ts'
import { newestDefault } from '../../api/machinery/newest-default.ts'
import type { KubeObject, Stored } from '../../api/machinery/object.ts'
import type { AdmissionContext } from './context.ts'
import type { AdmissionPlugin } from './types.ts'

/** Gives a claim that names no storage class the default one, if there is one. */
export function createDefaultStorageClass({ client, lookup }: AdmissionContext): AdmissionPlugin {
  const claims = lookup('', 'persistentvolumeclaims')
  const classes = lookup('storage.k8s.io', 'storageclasses')
  return {
    name: 'DefaultStorageClass',
    handles: ({ resource, operation, subresource }) =>
      resource === claims && operation === 'CREATE' && subresource === '',
    admit({ object }) {
      const { spec, metadata } = object as unknown as Stored<PersistentVolumeClaim>
      if (!spec || spec.storageClassName !== undefined) return
      if (metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) return
      const name = newestDefault(client.cachedList<KubeObject>(classes, ''), defaultClassAnnotations)
      if (name !== undefined) spec.storageClassName = name
    },
  }
}

/** Gives an ingress that names no class the default one, if there is one. */
export function createDefaultIngressClass({ client, lookup }: AdmissionContext): AdmissionPlugin {
  const ingresses = lookup('networking.k8s.io', 'ingresses')
  const classes = lookup('networking.k8s.io', 'ingressclasses')
  return {
    name: 'DefaultIngressClass',
    handles: ({ resource, operation, subresource }) =>
      resource === ingresses && operation === 'CREATE' && subresource === '',
    admit({ object }) {
      const { spec, metadata } = object as unknown as Stored<Ingress>
      if (!spec || spec.ingressClassName !== undefined) return
      if (metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return
      const annotations = ['ingressclass.kubernetes.io/is-default-class']
      const name = newestDefault(client.cachedList<KubeObject>(classes, ''), annotations)
      if (name !== undefined) spec.ingressClassName = name
    },
  }
}
