import { evictionRequestedAnnotation, evictionRequestedMs, surgeOnDrainAnnotation } from '../../api/gantry/surge.ts'
import type { ObjectMeta, Pod, ReplicaSet } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import type { AnyObject, Stored } from '../../api/machinery/object.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { type Scope, writeOptions } from '../handlers/context.ts'
import { ownsNothing } from '../registry/server-client.ts'

/** A pod that was let go counts as gone from then on, though the cache may still show it. */
const forgetMs = 60_000
/** The mark is not renewed more often: each renewal is a write. */
const renewMs = 60_000
const retryAfterSeconds = 2

/** Workloads that make one more pod for one that is to be evicted. */
const surging: Readonly<Record<string, { group: string; plural: string }>> = {
  ReplicaSet: { group: 'apps', plural: 'replicasets' },
  ReplicationController: { group: '', plural: 'replicationcontrollers' },
}

/** Holds evictions back until there is a replacement. */
export interface SurgeGuard {
  /**
   * Throws 429, having asked for a replacement, as long as the eviction would leave fewer ready pods than the workload is to
   * have. What it returns takes the permission back, for an eviction that fails after all.
   */
  admit(scope: Scope, pod: Stored<Pod>, dryRun: boolean): Promise<() => void>
}

/** Makes the guard of one server; it remembers whom it has let go. */
export function createSurgeGuard(): SurgeGuard {
  const letGo = new Map<string, number>()
  return {
    async admit(scope, pod, dryRun) {
      const { server, info } = scope
      const owner = ownerOf(scope, pod)
      if (!owner || !isReady(pod) || !asksForIt(pod, owner)) return () => {}
      const now = server.now()
      for (const [uid, atMs] of letGo) if (now - atMs > forgetMs) letGo.delete(uid)
      const uid = pod.metadata.uid as string
      const ready = server.client
        .cachedList<Stored<Pod>>(server.registry('', 'pods').resource, info.namespace)
        .filter((other) => controllerUid(other.metadata) === owner.metadata.uid && isReady(other))
        .filter(({ metadata }) => metadata.uid === uid || !letGo.has(metadata.uid as string))
      const wanted = owner.spec?.replicas ?? 1
      // Nothing is awaited between counting and taking: evictions of one workload often come together.
      if (ready.length > wanted) {
        if (!dryRun) letGo.set(uid, now)
        return () => void letGo.delete(uid)
      }
      if (!dryRun) await askForReplacement(scope, pod)
      throw new StatusError(429, 'TooManyRequests', 'Cannot evict pod before its replacement is ready.', {
        causes: [
          {
            reason: 'SurgeOnDrain',
            message: `${owner.kind} ${owner.metadata.name} has ${ready.length} ready pods and is to have ${wanted}: a replacement has been asked for, as ${surgeOnDrainAnnotation} says`,
          },
        ],
        retryAfterSeconds,
      })
    },
  }
}

type Owner = Stored<Pick<ReplicaSet, 'metadata' | 'kind'>> & { spec?: { replicas?: number } }

function ownerOf({ server, info }: Scope, { metadata }: Stored<Pod>): Owner | undefined {
  const reference = metadata.ownerReferences?.find(({ controller }) => controller)
  const kind = reference && surging[reference.kind]
  if (!kind) return undefined
  const { resource } = server.registry(kind.group, kind.plural)
  const owner = server.client.cached<Owner>(resource, info.namespace, reference.name)
  return owner?.metadata.uid === reference.uid ? owner : undefined
}

/** A deployment's annotations are on its replica sets too. */
const asksForIt = (pod: Stored<Pod>, owner: Owner): boolean =>
  [pod, owner].some(({ metadata }) => metadata.annotations?.[surgeOnDrainAnnotation] === 'true')

const controllerUid = ({ ownerReferences }: ObjectMeta): string | undefined =>
  ownerReferences?.find(({ controller }) => controller)?.uid

const isReady = ({ metadata, status }: Stored<Pod>): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.phase === 'Running' &&
  (status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false) &&
  !status.conditions?.some((condition) => condition.type === 'DisruptionTarget' && condition.status === 'True')

async function askForReplacement(scope: Scope, { metadata }: Stored<Pod>): Promise<void> {
  const { server, info } = scope
  const now = server.now()
  if (now - (evictionRequestedMs(metadata) ?? 0) < renewMs) return
  await server.registry('', 'pods').update(
    info.namespace,
    info.name,
    (current) => {
      const marked = current as AnyObject
      const asked = { [evictionRequestedAnnotation]: formatTime(now) }
      marked.metadata.annotations = { ...marked.metadata.annotations, ...asked }
      return marked
    },
    { ...writeOptions(scope, false), subresource: 'eviction', rules: {}, track: ownsNothing, isAdmitted: true },
  )
}
