import type { PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet, Volume } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { podFromTemplate } from '../pods/control.ts'
import { revisionLabel } from '../revisions/revisions.ts'

export const podNameLabel = 'statefulset.kubernetes.io/pod-name'
export const podIndexLabel = 'apps.kubernetes.io/pod-index'

type ASet = Live<StatefulSet>

/** The name's parts: `web-3` is the fourth of `web`. Undefined for a name of another form. */
export function parseName(name: string): { parent: string; ordinal: number } | undefined {
  const match = /^(.*)-(\d+)$/s.exec(name)
  const ordinal = Number(match?.[2])
  return match && ordinal < 2 ** 31 ? { parent: match[1] as string, ordinal } : undefined
}

export const isMember = (set: ASet, { metadata }: Live<Pod>): boolean =>
  parseName(metadata.name)?.parent === set.metadata.name

export const firstOrdinal = ({ spec }: ASet): number => spec?.ordinals?.start ?? 0
export const replicasOf = ({ spec }: ASet): number => spec?.replicas ?? 1

/** Whether the set is to have a pod of that number. */
export const inRange = (set: ASet, ordinal: number): boolean =>
  ordinal >= firstOrdinal(set) && ordinal < firstOrdinal(set) + replicasOf(set)

/** The pod of that number, from the template of that revision. */
export function podFor(set: ASet, template: PodTemplateSpec, revision: string, ordinal: number): Live<Pod> {
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: set.metadata }
  const { generateName: _, ...metadata } = podFromTemplate(owner, template).metadata ?? {}
  const name = `${set.metadata.name}-${ordinal}`
  const made: Live<Pod> = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name, labels: { ...metadata.labels, [revisionLabel]: revision } },
    spec: {
      containers: [],
      ...template.spec,
      hostname: name,
      ...(set.spec?.serviceName ? { subdomain: set.spec.serviceName } : {}),
    },
  }
  return withIdentity(set, made)
}

/** The pod with the labels and the volumes that make it that one of the set. */
export function withIdentity(set: ASet, pod: Live<Pod>): Live<Pod> {
  const { name } = pod.metadata
  const claims = claimsFor(set, pod)
  const own: Volume[] = [...claims].map(([volume, claim]) => ({
    name: volume,
    persistentVolumeClaim: { claimName: claim.metadata.name },
  }))
  const others = (pod.spec?.volumes ?? []).filter((volume) => !claims.has(volume.name))
  const volumes = [...own, ...others]
  const labels = { ...pod.metadata.labels, [podNameLabel]: name, [podIndexLabel]: String(parseName(name)?.ordinal) }
  return {
    ...pod,
    metadata: { ...pod.metadata, labels },
    spec: { containers: [], ...pod.spec, ...(volumes.length > 0 ? { volumes } : {}) },
  }
}

/** Whether labels and volumes are those of the set's pod of that name. */
export function hasIdentity(set: ASet, pod: Live<Pod>): boolean {
  if (pod.metadata.labels?.[podNameLabel] !== pod.metadata.name) return false
  const volumes = new Map((pod.spec?.volumes ?? []).map((volume) => [volume.name, volume]))
  return [...claimsFor(set, pod)].every(
    ([volume, claim]) => volumes.get(volume)?.persistentVolumeClaim?.claimName === claim.metadata.name,
  )
}

type Claim = PersistentVolumeClaim & { metadata: { name: string } }

/** The claims of a pod, by the name of their volume. */
export function claimsFor({ metadata, spec }: ASet, pod: Live<Pod>): Map<string, Claim> {
  const ordinal = parseName(pod.metadata.name)?.ordinal
  return new Map(
    (spec?.volumeClaimTemplates ?? []).map((template) => {
      const { status: _, ...claim } = template
      const volume = template.metadata?.name ?? ''
      return [
        volume,
        {
          ...claim,
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: {
            ...template.metadata,
            name: `${volume}-${metadata.name}-${ordinal}`,
            ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
            labels: { ...template.metadata?.labels, ...spec?.selector.matchLabels },
          },
        },
      ]
    }),
  )
}
