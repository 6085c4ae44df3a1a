import type {
  CSIPersistentVolumeSource,
  CSIVolumeSource,
  DownwardAPIVolumeSource,
  EphemeralVolumeSource,
  PersistentVolumeSpec,
  ProjectedVolumeSource,
  Volume,
} from '../../api/generated/types.ts'
import { claimLines } from './claim.ts'
import { field, indent, sortedEntries } from './lines.ts'

type Source = Record<string, unknown>
/** A label, and the field it shows; a function where the field alone does not say it. */
type Row = readonly [label: string, of: string | ((source: Source) => unknown)]

/** The kinds of source that are shown as a list of their fields. */
const plain: Record<string, { about: string; rows: readonly Row[] }> = {
  hostPath: {
    about: 'HostPath (bare host directory volume)',
    rows: [
      ['Path', 'path'],
      ['HostPathType', ({ type }) => type ?? '<none>'],
    ],
  },
  emptyDir: {
    about: "EmptyDir (a temporary directory that shares a pod's lifetime)",
    rows: [
      ['Medium', 'medium'],
      ['SizeLimit', ({ sizeLimit }) => (sizeLimit && sizeLimit !== '0' ? sizeLimit : '<unset>')],
    ],
  },
  secret: {
    about: 'Secret (a volume populated by a Secret)',
    rows: [
      ['SecretName', 'secretName'],
      ['Optional', ({ optional }) => optional ?? false],
    ],
  },
  configMap: {
    about: 'ConfigMap (a volume populated by a ConfigMap)',
    rows: [
      ['Name', 'name'],
      ['Optional', ({ optional }) => optional ?? false],
    ],
  },
  persistentVolumeClaim: {
    about: 'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)',
    rows: [['ClaimName', 'claimName'], readOnly()],
  },
  nfs: {
    about: 'NFS (an NFS mount that lasts the lifetime of a pod)',
    rows: [['Server', 'server'], ['Path', 'path'], readOnly()],
  },
  local: { about: 'LocalVolume (a persistent volume backed by local storage on a node)', rows: [['Path', 'path']] },
  image: {
    about: 'Image (a container image or OCI artifact)',
    rows: [
      ['Reference', 'reference'],
      ['PullPolicy', 'pullPolicy'],
    ],
  },
  gitRepo: {
    about: 'GitRepo (a volume that is pulled from git when the pod is created)',
    rows: [
      ['Repository', 'repository'],
      ['Revision', 'revision'],
    ],
  },
  iscsi: {
    about: "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
    rows: [['TargetPortal', 'targetPortal'], ['IQN', 'iqn'], ['Lun', 'lun'], ['FSType', 'fsType'], readOnly()],
  },
  fc: {
    about: 'FC (a Fibre Channel disk)',
    rows: [
      ['TargetWWNs', ({ targetWWNs }) => ((targetWWNs as string[] | undefined) ?? []).join(', ')],
      ['LUN', ({ lun }) => lun ?? '<none>'],
      ['FSType', 'fsType'],
      readOnly(),
    ],
  },
}

function readOnly(): Row {
  return ['ReadOnly', ({ readOnly: only }) => only ?? false]
}

const richer: Record<string, (source: never) => string[]> = {
  projected: projectedLines,
  downwardAPI: downwardLines,
  ephemeral: ephemeralLines,
  csi: csiLines,
}

/** The source of a volume of a pod, or of a persistent volume. */
export function sourceLines(volume: Volume | PersistentVolumeSpec): string[] {
  for (const [type, source] of Object.entries(volume)) {
    if (typeof source !== 'object' || source === null) continue
    const shape = plain[type]
    if (shape)
      return [
        field('Type', shape.about),
        ...shape.rows.map(([label, of]) =>
          field(label, typeof of === 'string' ? (source as Source)[of] : of(source as Source)),
        ),
      ]
    const lines = richer[type]
    if (lines) return lines(source as never)
  }
  return []
}

/** The volumes of a pod or a template. */
export function volumeLines(volumes: readonly Volume[] = [], nameIndent = ''): string[] {
  if (volumes.length === 0) return ['Volumes:\t<none>']
  return [
    'Volumes:',
    ...volumes.flatMap((volume) => {
      const source = sourceLines(volume)
      return [`  ${nameIndent}${volume.name}:`, ...(source.length > 0 ? indent(source, 2) : ['  <unknown>'])]
    }),
  ]
}

function projectedLines({ sources = [] }: ProjectedVolumeSource): string[] {
  return [
    field('Type', 'Projected (a volume that contains injected data from multiple sources)'),
    ...sources.flatMap(({ secret, downwardAPI, configMap, serviceAccountToken }) => {
      if (secret) return [field('SecretName', secret.name), field('Optional', secret.optional ?? false)]
      if (downwardAPI) return [field('DownwardAPI', true)]
      if (configMap) return [field('ConfigMapName', configMap.name), field('Optional', configMap.optional ?? false)]
      if (serviceAccountToken) return [field('TokenExpirationSeconds', serviceAccountToken.expirationSeconds)]
      return []
    }),
  ]
}

function downwardLines({ items = [] }: DownwardAPIVolumeSource): string[] {
  return [
    field('Type', 'DownwardAPI (a volume populated by information about the pod)'),
    'Items:',
    ...indent(
      items.map(
        ({ fieldRef, resourceFieldRef, path }) => `${fieldRef?.fieldPath ?? resourceFieldRef?.resource} -> ${path}`,
      ),
    ),
  ]
}

function ephemeralLines({ volumeClaimTemplate: template }: EphemeralVolumeSource): string[] {
  const about = 'EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)'
  return [field('Type', about), ...(template ? claimLines(template) : [])]
}

function csiLines(source: CSIVolumeSource & Partial<CSIPersistentVolumeSource>): string[] {
  const attributes = sortedEntries(source.volumeAttributes).map(([key, value]) => `${key}=${value}`)
  return [
    field('Type', 'CSI (a Container Storage Interface (CSI) volume source)'),
    field('Driver', source.driver),
    field('FSType', source.fsType),
    ...(source.volumeHandle === undefined ? [] : [field('VolumeHandle', source.volumeHandle)]),
    field('ReadOnly', source.readOnly ?? false),
    ...(attributes.length === 0 ? ['<none>'] : attributes).map((text, i) =>
      i === 0 ? field('VolumeAttributes', text) : `\t${text}`,
    ),
  ]
}
