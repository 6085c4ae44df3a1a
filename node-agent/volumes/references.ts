import type { BoundPod } from '../pods/types.ts'

/** The config maps and secrets that a pod names anywhere: in its volumes, its environment, for pulling its images. */
export function referencesOf({ spec }: BoundPod): { configMaps: Set<string>; secrets: Set<string> } {
  const configMaps = new Set<string>()
  const secrets = new Set<string>()
  const add = (to: Set<string>, name: string | undefined): void => {
    if (name) to.add(name)
  }
  for (const { name } of spec.imagePullSecrets ?? []) add(secrets, name)
  for (const { configMap, secret, projected } of spec.volumes ?? []) {
    add(configMaps, configMap?.name)
    add(secrets, secret?.secretName)
    for (const source of projected?.sources ?? []) {
      add(configMaps, source.configMap?.name)
      add(secrets, source.secret?.name)
    }
  }
  for (const container of [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      add(configMaps, configMapRef?.name)
      add(secrets, secretRef?.name)
    }
    for (const { valueFrom } of container.env ?? []) {
      add(configMaps, valueFrom?.configMapKeyRef?.name)
      add(secrets, valueFrom?.secretKeyRef?.name)
    }
  }
  return { configMaps, secrets }
}
