import type {
  ObjectMeta,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimStatus,
} from '../../api/generated/types.ts'
import { annotationsField, field, fieldIf, labelsField, section } from './lines.ts'

const betaClass = 'volume.beta.kubernetes.io/storage-class'

/** What claims and the templates of claims have in common. */
export interface ClaimLike {
  metadata?: ObjectMeta
  spec?: PersistentVolumeClaimSpec
  status?: PersistentVolumeClaimStatus
}

/** The class of a claim, by its field or by the annotation that was before it. */
export const storageClassOf = ({ metadata, spec }: ClaimLike): string =>
  metadata?.annotations?.[betaClass] ?? spec?.storageClassName ?? ''

/** `RWO,ROX`, each once. */
export function accessModesText(modes: readonly string[] = []): string {
  const short = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' }
  return Object.entries(short)
    .filter(([mode]) => modes.includes(mode))
    .map(([, text]) => text)
    .join(',')
}

/** A claim; `own` are the lines only a real one has: its finalizers, its phase. */
export function claimLines(
  claim: ClaimLike,
  own: { status: readonly string[]; finalizers: readonly string[] } = { status: [], finalizers: [] },
): string[] {
  const { metadata, spec, status } = claim
  const bound = Boolean(spec?.volumeName)
  return [
    field('StorageClass', storageClassOf(claim)),
    ...own.status,
    field('Volume', spec?.volumeName),
    ...labelsField('Labels', metadata?.labels),
    ...annotationsField('Annotations', metadata?.annotations),
    ...own.finalizers,
    field('Capacity', bound ? (status?.capacity?.storage ?? '0') : ''),
    field('Access Modes', bound ? accessModesText(status?.accessModes) : ''),
    ...fieldIf('VolumeMode', spec?.volumeMode),
    ...dataSourceLines(spec?.dataSource),
  ]
}

const dataSourceLines = (source: NonNullable<PersistentVolumeClaim['spec']>['dataSource']): string[] =>
  source
    ? section('DataSource', [
        ...fieldIf('APIGroup', source.apiGroup),
        field('Kind', source.kind),
        field('Name', source.name),
      ])
    : []
