import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'

interface ClaimFacts {
  name?: string
  uid?: string
  size?: string
  /** Left out, it names no class. */
  storageClass?: string
  modes?: string[]
  /** The volume it names. */
  volume?: string
  annotations?: Record<string, string>
  spec?: PersistentVolumeClaim['spec']
  status?: PersistentVolumeClaim['status']
  metadata?: Partial<Live<PersistentVolumeClaim>['metadata']>
}

/** The claim `data`, of one gibibyte. */
export function claim(facts: ClaimFacts = {}): Live<PersistentVolumeClaim> {
  const { name = 'data', uid = name, size = '1Gi', storageClass, modes = ['ReadWriteOnce'], annotations } = facts
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, uid, namespace: 'default', ...(annotations ? { annotations } : {}), ...facts.metadata },
    spec: {
      accessModes: modes,
      resources: { requests: { storage: size } },
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      ...(facts.volume ? { volumeName: facts.volume } : {}),
      ...facts.spec,
    },
    status: facts.status ?? { phase: 'Pending' },
  }
}

interface VolumeFacts {
  name?: string
  size?: string
  storageClass?: string
  modes?: string[]
  /** What it is bound to: a claim's name, and its uid if that is known. */
  claim?: string
  claimUid?: string
  phase?: string
  policy?: string
  annotations?: Record<string, string>
  labels?: Record<string, string>
  spec?: PersistentVolume['spec']
  metadata?: Partial<Live<PersistentVolume>['metadata']>
}

/** The volume `disk`, of one gibibyte, free and on some host's path. */
export function volume(facts: VolumeFacts = {}): Live<PersistentVolume> {
  const { name = 'disk', size = '1Gi', storageClass, modes = ['ReadWriteOnce'], phase = 'Available' } = facts
  const { policy = 'Retain', annotations, labels } = facts
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name,
      uid: name,
      ...(annotations ? { annotations } : {}),
      ...(labels ? { labels } : {}),
      ...facts.metadata,
    },
    spec: {
      accessModes: modes,
      capacity: { storage: size },
      persistentVolumeReclaimPolicy: policy,
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      ...(facts.claim
        ? {
            claimRef: { namespace: 'default', name: facts.claim, ...(facts.claimUid ? { uid: facts.claimUid } : {}) },
          }
        : {}),
      ...facts.spec,
    },
    status: { phase },
  }
}

/** A storage class of a provisioner `p.example`, binding at once. */
export const storageClass = (name: string, parts: Partial<Live<StorageClass>> = {}): Live<StorageClass> => ({
  metadata: { name },
  provisioner: 'p.example',
  volumeBindingMode: 'Immediate',
  ...parts,
})
