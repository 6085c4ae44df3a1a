import type { Ingress, PersistentVolumeClaim } from '../../api/generated/types.ts'
import type { KubeObject, Stored } from '../../api/machinery/object.ts'
import type { AdmissionContext } from './context.ts'
import type { AdmissionPlugin } from './types.ts'

/** Gives a claim that names no storage class the default one, if there is one. */
export function createDefaultStorageClass({ client, lookup }: AdmissionContext): AdmissionPlugin {
  const claims = lookup('', 'persistentvolumeclaims')
  const classes = lookup('storage.k8s.io', 'storageclasses')
  const annotations = [
    'storageclass.kubernetes.io/is-default-class',
    'storageclass.beta.kubernetes.io/is-default-class',
  ]
  return {
    name: 'DefaultStorageClass',
    handles: ({ resource, operation, subresource }) =>
      resource === claims && operation === 'CREATE' && subresource === '',
    admit({ object }) {
      const { spec, metadata } = object as unknown as Stored<PersistentVolumeClaim>
      if (!spec || spec.storageClassName !== undefined) return
      if (metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) return
      const name = newestDefault(client.cachedList<KubeObject>(classes, ''), annotations)
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

/** Of several defaults the one made last; of those made in the same second the first by name. */
function newestDefault(classes: readonly KubeObject[], annotations: readonly string[]): string | undefined {
  const defaults = classes.filter(({ metadata }) => annotations.some((key) => metadata.annotations?.[key] === 'true'))
  defaults.sort(({ metadata: a }, { metadata: b }) => {
    const [at = '', bt = ''] = [a.creationTimestamp, b.creationTimestamp]
    if (at !== bt) return at < bt ? 1 : -1
    return (a.name ?? '') < (b.name ?? '') ? -1 : 1
  })
  return defaults[0]?.metadata.name
}
