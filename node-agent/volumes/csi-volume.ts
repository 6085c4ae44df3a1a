import { createHash } from 'node:crypto'
import type { CSIDriverSpec, SecretReference } from '../../api/generated/types.ts'
import type { AccessMode, VolumeCapability } from '../csi/messages.ts'
import type { BoundPod } from '../pods/types.ts'
import type { VolumeSpec } from './types.ts'

/** A volume of a storage driver, as a pod or a persistent volume describes it. */
export interface CsiVolume {
  driver: string
  handle: string
  lifecycle: 'Persistent' | 'Ephemeral'
  block: boolean
  readOnly: boolean
  fsType: string
  mountFlags: readonly string[]
  /** Kubernetes' name for it. */
  accessMode: string
  attributes: Readonly<Record<string, string>>
  stageSecret?: SecretReference
  publishSecret?: SecretReference
  expandSecret?: SecretReference
}

/** Reads a volume spec; undefined: it is of another kind. */
export function csiVolumeOf(
  { name, volume, persistent, mode, readOnly }: VolumeSpec,
  pod: BoundPod,
): CsiVolume | undefined {
  const source = persistent?.volume.spec?.csi
  if (source) {
    const { accessModes, mountOptions } = persistent.volume.spec ?? {}
    const { nodeStageSecretRef, nodePublishSecretRef, nodeExpandSecretRef } = source
    return {
      driver: source.driver,
      handle: source.volumeHandle,
      lifecycle: 'Persistent',
      block: mode === 'Block',
      readOnly: readOnly || (source.readOnly ?? false),
      fsType: source.fsType ?? '',
      mountFlags: mountOptions ?? [],
      accessMode: accessModes?.[0] ?? 'ReadWriteOnce',
      attributes: source.volumeAttributes ?? {},
      ...(nodeStageSecretRef ? { stageSecret: nodeStageSecretRef } : {}),
      ...(nodePublishSecretRef ? { publishSecret: nodePublishSecretRef } : {}),
      ...(nodeExpandSecretRef ? { expandSecret: nodeExpandSecretRef } : {}),
    }
  }
  const { csi: inline } = volume
  if (!inline) return undefined
  const { namespace, uid } = pod.metadata
  const secret = inline.nodePublishSecretRef?.name
  return {
    driver: inline.driver,
    // Made of the pod and its own name for it: the volume lives as long as the pod.
    handle: `csi-${createHash('sha256').update(`${uid}${name}`).digest('hex')}`,
    lifecycle: 'Ephemeral',
    block: false,
    readOnly: inline.readOnly ?? false,
    fsType: inline.fsType ?? '',
    mountFlags: [],
    accessMode: 'ReadWriteOnce',
    attributes: inline.volumeAttributes ?? {},
    ...(secret ? { publishSecret: { name: secret, namespace } } : {}),
  }
}

/** How the volume is to be used, as the driver is told. */
export function capabilityFor(
  volume: CsiVolume,
  nodeCapabilities: ReadonlySet<string>,
  group: number | undefined,
): VolumeCapability {
  const accessMode = { mode: accessModeFor(volume.accessMode, nodeCapabilities.has('SINGLE_NODE_MULTI_WRITER')) }
  if (volume.block) return { block: {}, accessMode }
  const { fsType, mountFlags } = volume
  const byDriver = group !== undefined && nodeCapabilities.has('VOLUME_MOUNT_GROUP')
  return { mount: { fsType, mountFlags, ...(byDriver ? { volumeMountGroup: String(group) } : {}) }, accessMode }
}

function accessModeFor(mode: string, tellsWritersApart: boolean): AccessMode {
  switch (mode) {
    case 'ReadWriteOnce':
      return tellsWritersApart ? 'SINGLE_NODE_MULTI_WRITER' : 'SINGLE_NODE_WRITER'
    case 'ReadWriteOncePod':
      return tellsWritersApart ? 'SINGLE_NODE_SINGLE_WRITER' : 'SINGLE_NODE_WRITER'
    case 'ReadOnlyMany':
      return 'MULTI_NODE_READER_ONLY'
    case 'ReadWriteMany':
      return 'MULTI_NODE_MULTI_WRITER'
    default:
      return 'UNKNOWN'
  }
}

/** What a driver that asks for it is told of the pod. */
export function podAttributes({ metadata, spec }: BoundPod, lifecycle: CsiVolume['lifecycle']): Record<string, string> {
  return {
    'csi.storage.k8s.io/pod.name': metadata.name,
    'csi.storage.k8s.io/pod.namespace': metadata.namespace,
    'csi.storage.k8s.io/pod.uid': metadata.uid,
    'csi.storage.k8s.io/serviceAccount.name': spec.serviceAccountName ?? '',
    'csi.storage.k8s.io/ephemeral': String(lifecycle === 'Ephemeral'),
  }
}

/** Under which name a driver is given tokens of the pod's service account. */
export const tokensKey = 'csi.storage.k8s.io/serviceAccount.tokens'

/** Whether the node itself gives the volume's files to the pod's group. */
export function ownedByGroup(volume: CsiVolume, { fsGroupPolicy = 'ReadWriteOnceWithFSType' }: CSIDriverSpec): boolean {
  if (volume.block || volume.readOnly) return false
  switch (fsGroupPolicy) {
    case 'None':
      return false
    case 'File':
      return true
    default:
      return volume.fsType !== '' && ['ReadWriteOnce', 'ReadWriteOncePod'].includes(volume.accessMode)
  }
}

/** Throws where the driver does not say that its volumes may live so. */
export function checkLifecycle(volume: CsiVolume, { volumeLifecycleModes }: CSIDriverSpec): void {
  const modes = volumeLifecycleModes?.length ? volumeLifecycleModes : ['Persistent']
  if (modes.includes(volume.lifecycle)) return
  const list = modes.map((mode) => JSON.stringify(mode)).join(' ')
  throw new Error(
    `volume mode "${volume.lifecycle}" not supported by driver ${volume.driver} (only supports [${list}])`,
  )
}

/** The name that an attached volume has in a node's status. */
export const uniqueNameOf = ({ driver, handle }: Pick<CsiVolume, 'driver' | 'handle'>): string =>
  `kubernetes.io/csi/${driver}^${handle}`

/** The name of the object that says whether a volume is attached to a node. */
export const attachmentNameOf = ({ driver, handle }: CsiVolume, nodeName: string): string =>
  `csi-${createHash('sha256').update(`${handle}${driver}${nodeName}`).digest('hex')}`
