import type { Container, EnvFromSource, EnvVar, PersistentVolume, Pod, Volume } from '../generated/types.ts'
import type { Stored } from '../machinery/object.ts'

/** Kinds that a node may read because a pod of its own refers to them. */
export type ReferencedKind = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts' | 'resourceclaims'

/** Everything in its own namespace that a pod needs on its node, as `kind name`. */
export function podReferences(pod: Stored<Pod>): Set<`${ReferencedKind} ${string}`> {
  const found = new Set<`${ReferencedKind} ${string}`>()
  const add = (kind: ReferencedKind, name: string | undefined) => {
    if (name) found.add(`${kind} ${name}`)
  }
  const { spec, status } = pod
  if (!spec) return found
  add('serviceaccounts', spec.serviceAccountName)
  for (const { name } of spec.imagePullSecrets ?? []) add('secrets', name)
  const containers: Pick<Container, 'env' | 'envFrom'>[] = [
    ...(spec.initContainers ?? []),
    ...spec.containers,
    ...(spec.ephemeralContainers ?? []),
  ]
  for (const { env, envFrom } of containers) addEnvironment(env, envFrom, add)
  for (const volume of spec.volumes ?? []) addVolume(volume, pod.metadata.name ?? '', add)
  for (const { resourceClaimName } of status?.resourceClaimStatuses ?? []) add('resourceclaims', resourceClaimName)
  for (const { resourceClaimName } of spec.resourceClaims ?? []) add('resourceclaims', resourceClaimName)
  add('resourceclaims', status?.extendedResourceClaimStatus?.resourceClaimName)
  return found
}

type Add = (kind: ReferencedKind, name: string | undefined) => void

function addEnvironment(env: readonly EnvVar[] = [], envFrom: readonly EnvFromSource[] = [], add: Add): void {
  for (const { valueFrom } of env) {
    add('secrets', valueFrom?.secretKeyRef?.name)
    add('configmaps', valueFrom?.configMapKeyRef?.name)
  }
  for (const { secretRef, configMapRef } of envFrom) {
    add('secrets', secretRef?.name)
    add('configmaps', configMapRef?.name)
  }
}

function addVolume(volume: Volume, podName: string, add: Add): void {
  add('secrets', volume.secret?.secretName)
  add('configmaps', volume.configMap?.name)
  for (const { secret, configMap } of volume.projected?.sources ?? []) {
    add('secrets', secret?.name)
    add('configmaps', configMap?.name)
  }
  add('persistentvolumeclaims', volume.persistentVolumeClaim?.claimName)
  if (volume.ephemeral) add('persistentvolumeclaims', `${podName}-${volume.name}`)
  add('secrets', volume.azureFile?.secretName)
  add('secrets', volume.csi?.nodePublishSecretRef?.name)
  for (const source of [
    volume.cephfs,
    volume.cinder,
    volume.flexVolume,
    volume.rbd,
    volume.scaleIO,
    volume.iscsi,
    volume.storageos,
  ]) {
    add('secrets', source?.secretRef?.name)
  }
}

/** Secrets that a node needs to mount a bound volume, as `namespace/name`. Those of controllers are not among them. */
export function volumeSecrets({ spec }: Stored<PersistentVolume>): Set<string> {
  const found = new Set<string>()
  const home = spec?.claimRef?.namespace ?? ''
  const add = (reference: { name?: string; namespace?: string } | undefined) => {
    if (reference?.name) found.add(`${reference.namespace || home}/${reference.name}`)
  }
  if (!spec) return found
  const { azureFile, csi, storageos } = spec
  if (azureFile) add({ name: azureFile.secretName, namespace: azureFile.secretNamespace ?? home })
  for (const source of [spec.cephfs, spec.cinder, spec.flexVolume, spec.rbd, spec.scaleIO, spec.iscsi])
    add(source?.secretRef)
  add(storageos?.secretRef)
  for (const reference of [csi?.nodePublishSecretRef, csi?.nodeStageSecretRef, csi?.nodeExpandSecretRef]) add(reference)
  return found
}
