import { dependsOnAnnotation, parseDependencies } from '../../api/gantry/depends-on.ts'
import type {
  Ingress,
  PersistentVolume,
  PersistentVolumeClaim,
  PodSpec,
  RoleBinding,
  StatefulSet,
  V2HorizontalPodAutoscaler,
} from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { NamedObject } from '../objects.ts'
import { type Subject, templateOf } from '../workloads.ts'

/** Another object that one names, and cannot do its work without. */
export interface Reference {
  /** As one would write it: `configmaps`, `storageclasses.storage.k8s.io`. */
  resource: string
  name: string
  /** It may be missing. */
  optional: boolean
}

/** What an object depends on by naming it, each once. */
export function referencesOf({ kind, object }: Subject): Reference[] {
  const found = new Map<string, Reference>()
  for (const reference of allReferences(`${kind.group}/${kind.kind}`, object)) {
    const key = `${reference.resource}/${reference.name}`
    const known = found.get(key)
    if (reference.name) found.set(key, { ...reference, optional: reference.optional && (known?.optional ?? true) })
  }
  return [...found.values()]
}

function* allReferences(kind: string, object: NamedObject): Generator<Reference> {
  const to = (resource: string, name: string | undefined, optional = false): Reference => ({
    resource,
    name: name ?? '',
    optional,
  })
  switch (kind) {
    case '/PersistentVolumeClaim': {
      const { spec } = object as unknown as Live<PersistentVolumeClaim>
      yield to('persistentvolumes', spec?.volumeName)
      yield to('storageclasses.storage.k8s.io', spec?.storageClassName)
      return
    }
    case '/PersistentVolume':
      yield to(
        'storageclasses.storage.k8s.io',
        (object as unknown as Live<PersistentVolume>).spec?.storageClassName,
        true,
      )
      return
    case 'networking.k8s.io/Ingress': {
      const { spec } = object as unknown as Live<Ingress>
      yield to('ingressclasses.networking.k8s.io', spec?.ingressClassName)
      for (const { secretName } of spec?.tls ?? []) yield to('secrets', secretName)
      yield to('services', spec?.defaultBackend?.service?.name)
      for (const rule of spec?.rules ?? [])
        for (const { backend } of rule.http?.paths ?? []) yield to('services', backend.service?.name)
      return
    }
    case 'autoscaling/HorizontalPodAutoscaler': {
      const { scaleTargetRef: target } = (object as unknown as Live<V2HorizontalPodAutoscaler>).spec ?? {}
      if (target) yield to(resourceOf(target.kind, target.apiVersion), target.name)
      return
    }
    case 'rbac.authorization.k8s.io/RoleBinding':
    case 'rbac.authorization.k8s.io/ClusterRoleBinding': {
      const { roleRef } = object as unknown as Live<RoleBinding>
      yield to(resourceOf(roleRef.kind, `${roleRef.apiGroup}/v1`), roleRef.name)
      return
    }
    case 'apps/StatefulSet':
      yield to('services', (object as unknown as Live<StatefulSet>).spec?.serviceName)
  }
  const template = kind === '/Pod' ? object : (templateOf(object) ?? jobTemplateOf(object))
  if (!template) return
  yield* podReferences((template.spec ?? {}) as PodSpec, kind === '/Pod')
  const text = template.metadata?.annotations?.[dependsOnAnnotation] ?? ''
  for (const { kind: other, name } of parseDependencies(text).dependencies) yield to(other, name)
}

const jobTemplateOf = (object: NamedObject) =>
  (object.spec as { jobTemplate?: { spec?: { template?: NamedObject } } } | undefined)?.jobTemplate?.spec?.template

/** `deployments.apps`, in so far as kinds can be looked up by their singular names. */
const resourceOf = (kind: string, apiVersion = 'v1'): string =>
  apiVersion.includes('/') ? `${kind.toLowerCase()}.${apiVersion.split('/')[0]}` : kind.toLowerCase()

function* podReferences(spec: PodSpec, isBound: boolean): Generator<Reference> {
  const to = (resource: string, name: string | undefined, optional: boolean | undefined = false): Reference => ({
    resource,
    name: name ?? '',
    optional,
  })
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      yield to('configmaps', configMapRef?.name, configMapRef?.optional)
      yield to('secrets', secretRef?.name, secretRef?.optional)
    }
    for (const { valueFrom } of container.env ?? []) {
      yield to('configmaps', valueFrom?.configMapKeyRef?.name, valueFrom?.configMapKeyRef?.optional)
      yield to('secrets', valueFrom?.secretKeyRef?.name, valueFrom?.secretKeyRef?.optional)
    }
  }
  for (const volume of spec.volumes ?? []) {
    yield to('configmaps', volume.configMap?.name, volume.configMap?.optional)
    yield to('secrets', volume.secret?.secretName, volume.secret?.optional)
    yield to('persistentvolumeclaims', volume.persistentVolumeClaim?.claimName)
    // Every pod has its tokens; what is put together by hand is told.
    for (const { configMap, secret } of volume.projected?.sources ?? []) {
      if (configMap?.name !== 'kube-root-ca.crt') yield to('configmaps', configMap?.name, configMap?.optional)
      yield to('secrets', secret?.name, secret?.optional)
    }
  }
  for (const { name } of spec.imagePullSecrets ?? []) yield to('secrets', name, true)
  if (spec.serviceAccountName !== 'default') yield to('serviceaccounts', spec.serviceAccountName)
  yield to('priorityclasses.scheduling.k8s.io', spec.priorityClassName)
  yield to('runtimeclasses.node.k8s.io', spec.runtimeClassName)
  if (isBound) yield to('nodes', spec.nodeName)
}
