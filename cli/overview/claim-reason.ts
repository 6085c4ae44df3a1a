import type { PersistentVolumeClaim, Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { eventMs } from '../event-time.ts'
import type { Subject } from '../workloads.ts'
import type { World } from './overview.ts'

/** Why a claim has no volume yet, and what to do; undefined where nobody can say. */
export function claimReason({ object }: Subject, { events, pods }: Pick<World, 'events' | 'pods'>): string | undefined {
  const { metadata, spec, status } = object as unknown as Live<PersistentVolumeClaim>
  const { name, namespace = '', uid } = metadata
  if (metadata.deletionTimestamp || status?.phase !== 'Pending') return undefined
  const said = events
    .filter(({ involvedObject }) => involvedObject?.uid !== undefined && involvedObject.uid === uid)
    .sort((a, b) => eventMs(b) - eventMs(a))[0]?.message
  if (said) return said.trim()
  if (!spec?.storageClassName && !spec?.volumeName)
    return 'it names no storage class and there is no default: gantry get storageclasses'
  const isUsed = pods.some(({ object: pod }) => {
    const { metadata: of, spec: its } = pod as unknown as Live<Pod>
    return of.namespace === namespace && its?.volumes?.some((each) => each.persistentVolumeClaim?.claimName === name)
  })
  return isUsed
    ? `gantry describe pvc ${name} -n ${namespace} shows what it waits for`
    : 'no pod uses it; where its class waits for a first consumer, it gets a volume then'
}
