import type { PersistentVolume } from '../../api/generated/types.ts'
import { formatQuantity } from '../../api/machinery/quantity.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent } from '../../api/snapshots/types.ts'
import type { Live } from '../../client/types.ts'
import { secretReference } from '../csi/secrets.ts'
import {
  type Content,
  contentNameFor,
  defaultClass,
  deletionSecretName,
  deletionSecretNamespace,
  isContentOf,
  managedBy,
  type Snapshot,
} from './names.ts'

/** The class of a snapshot: the one it names, or the default one of the driver. Throws where there is none, or several. */
export function classFor(
  { spec }: Snapshot,
  driver: string,
  classes: readonly Live<VolumeSnapshotClass>[],
): Live<VolumeSnapshotClass> {
  const { volumeSnapshotClassName: name } = spec
  if (name !== undefined) {
    const named = classes.find(({ metadata }) => metadata.name === name)
    if (!named) throw new Error(`volumesnapshotclass.snapshot.storage.k8s.io ${JSON.stringify(name)} not found`)
    if (named.driver !== driver) {
      throw new Error(`the class ${JSON.stringify(name)} is of the driver ${named.driver}, the volume is of ${driver}`)
    }
    return named
  }
  const defaults = classes.filter(
    (known) => known.driver === driver && known.metadata.annotations?.[defaultClass] === 'true',
  )
  const [only] = defaults
  if (!only) throw new Error('cannot find default snapshot class')
  if (defaults.length > 1) throw new Error(`${defaults.length} default snapshot classes were found`)
  return only
}

/** The content by which a driver is asked for a snapshot. `node`: the only one that has the volume. */
export function contentFor(
  snapshot: Snapshot,
  snapshotClass: Live<VolumeSnapshotClass>,
  { spec }: Live<PersistentVolume>,
  node: string | undefined,
): VolumeSnapshotContent {
  const name = contentNameFor(snapshot)
  const { name: snapshotName, namespace = '', uid = '', resourceVersion = '' } = snapshot.metadata
  const tokens = { 'volumesnapshotcontent.name': name, 'volumesnapshot.namespace': namespace }
  const secret = secretReference(snapshotClass.parameters, 'snapshotter', {
    namespace: tokens,
    name: { ...tokens, 'volumesnapshot.name': snapshotName },
  })
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: {
      name,
      ...(node === undefined ? {} : { labels: { [managedBy]: node } }),
      ...(secret
        ? {
            annotations: {
              [deletionSecretName]: secret.name ?? '',
              [deletionSecretNamespace]: secret.namespace ?? '',
            },
          }
        : {}),
    },
    spec: {
      volumeSnapshotRef: {
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshot',
        name: snapshotName,
        namespace,
        uid,
        resourceVersion,
      },
      source: { volumeHandle: spec?.csi?.volumeHandle ?? '' },
      volumeSnapshotClassName: snapshotClass.metadata.name,
      deletionPolicy: snapshotClass.deletionPolicy,
      driver: snapshotClass.driver,
      ...(spec?.volumeMode ? { sourceVolumeMode: spec.volumeMode } : {}),
    },
  }
}

/** Why the content is not one that this snapshot can be bound to: the reason of an event, and its words. */
export function bindFault(snapshot: Snapshot, content: Content): [reason: string, message: string] | undefined {
  const { name } = content.metadata
  const isThere = snapshot.spec.source.volumeSnapshotContentName !== undefined
  const { source, volumeSnapshotRef: ref } = content.spec
  if (isThere && source.snapshotHandle === undefined) {
    return [
      'SnapshotContentMismatch',
      'VolumeSnapshotContent is dynamically provisioned while expecting a pre-provisioned one',
    ]
  }
  if (!isThere && source.volumeHandle === undefined) {
    return [
      'SnapshotContentMismatch',
      `VolumeSnapshotContent ${name} is pre-provisioned while expecting a dynamically provisioned one`,
    ]
  }
  const isKept = isThere && !ref.uid && ref.name === snapshot.metadata.name
  if (isContentOf(content, snapshot) || (isKept && ref.namespace === snapshot.metadata.namespace)) return undefined
  return ['SnapshotContentMisbound', `VolumeSnapshotContent [${name}] is bound to a different snapshot`]
}

/** What a snapshot says of its content. */
export function statusFrom({ metadata, status = {} }: Content): NonNullable<VolumeSnapshot['status']> {
  const { creationTime, restoreSize, readyToUse = false, error } = status
  return {
    boundVolumeSnapshotContentName: metadata.name,
    readyToUse,
    ...(creationTime ? { creationTime: formatTime(creationTime / 1e6) } : {}),
    ...(restoreSize === undefined
      ? {}
      : { restoreSize: formatQuantity({ nanos: BigInt(restoreSize) * 1_000_000_000n, format: 'BinarySI' }) }),
    ...(error ? { error } : {}),
  }
}
