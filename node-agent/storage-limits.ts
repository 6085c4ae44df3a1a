import { addQuantity, canonicalQuantity, quantityValue } from '../api/machinery/quantity.ts'
import type { Logger } from '../client/logger.ts'
import type { Clock } from '../client/types.ts'
import { isCriticalPod } from './eviction/rank.ts'
import { type LocalStorage, localTotal, measureLocalStorage } from './local-storage.ts'
import { Nap } from './pods/nap.ts'
import type { PodEvents } from './pods/pod-events.ts'
import { type BoundPod, describePod, isSidecar } from './pods/types.ts'
import type { PodWorkers } from './pods/workers.ts'
import type { Cri } from './runtime/cri.ts'
import type { Volumes } from './volumes/manager.ts'

const everyMs = 10_000
/** Upstream's immediateEvictionGracePeriodSeconds. */
const graceSeconds = 1

/** Which limit the pod exceeds, in upstream's words; undefined: none. */
export function exceededLimit(pod: BoundPod, storage: LocalStorage): string | undefined {
  const { spec } = pod
  const { volumes, containers } = storage
  for (const { name, emptyDir } of spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit
    if (limit === undefined || quantityValue(limit) <= 0) continue
    if ((volumes.get(name)?.bytes ?? 0) > quantityValue(limit)) {
      return `Usage of EmptyDir volume ${quoted(name)} exceeds the limit ${quoted(canonicalQuantity(limit))}. `
    }
  }
  const limit = podLimit(spec)
  if (limit !== undefined) {
    if (localTotal(pod, storage).bytes > quantityValue(limit)) {
      return `Pod ephemeral local storage usage exceeds the total limit of containers ${limit}. `
    }
  }
  for (const { name, resources } of spec.containers) {
    const own = resources?.limits?.['ephemeral-storage']
    if (own === undefined || quantityValue(own) === 0 || (containers.get(name)?.bytes ?? 0) <= quantityValue(own))
      continue
    return `Container ${name} exceeded its local ephemeral storage limit ${quoted(canonicalQuantity(own))}. `
  }
  return undefined
}

const quoted = (text: string): string => JSON.stringify(text)

/** What the containers may write together, those without a limit not counted; an init container alone may be allowed more. */
function podLimit({ containers, initContainers = [] }: BoundPod['spec']): string | undefined {
  const of = ({ resources }: (typeof containers)[number]) => resources?.limits?.['ephemeral-storage']
  const together = [...containers, ...initContainers.filter(isSidecar)]
  const sum = together.reduce<string | undefined>((total, container) => {
    const own = of(container)
    return own === undefined ? total : addQuantity(total, own)
  }, undefined)
  return initContainers.reduce<string | undefined>((most, container) => {
    const own = of(container)
    return own !== undefined && quantityValue(own) > quantityValue(most ?? 0) ? canonicalQuantity(own) : most
  }, sum)
}

const isLimited = ({ spec }: BoundPod): boolean =>
  (spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined) || podLimit(spec) !== undefined

/** Evicts pods that have written more to this node's disk than they may. Only those with a limit are measured. */
export async function keepStorageLimits(options: {
  cri: Pick<Cri, 'listContainerStats'>
  workers: Pick<PodWorkers, 'list'>
  volumes: Pick<Volumes, 'usage'>
  events: PodEvents
  logRoot: string
  clock: Clock
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { cri, workers, volumes, events, logRoot, clock, log, signal } = options
  const look = async (): Promise<void> => {
    const running = workers
      .list()
      .filter(({ stage, pod }) => stage === 'syncing' && isLimited(pod) && !isCriticalPod(pod))
    if (running.length === 0) return
    const measured = await measureLocalStorage(
      { cri, volumes, logRoot },
      running.map(({ pod }) => pod),
    )
    for (const worker of running) {
      const { pod } = worker
      const storage = measured.get(pod.metadata.uid)
      const message = storage && exceededLimit(pod, storage)
      if (message === undefined) continue
      log.warn({ pod: describePod(pod) }, `evicted: ${message.trim()}`)
      events.warning(pod, 'Evicted', message)
      worker.evict({ reason: 'Evicted', message, graceSeconds })
    }
  }
  const nap = new Nap(clock, signal)
  for (await nap.rest(everyMs); !signal.aborted; await nap.rest(everyMs)) {
    await look().catch((error) =>
      log.warn({ err: error }, 'storage limits cannot be checked and are tried again later'),
    )
  }
}
