import { createHash } from 'node:crypto'
import { classOf } from '../../api/core/volume-binding.ts'
import type {
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../api/generated/types.ts'
import type { Labels } from '../../api/machinery/labels.ts'
import { formatQuantity } from '../../api/machinery/quantity.ts'
import type { Controller } from '../../client/controller.ts'
import { isAlreadyExists, isNotFound } from '../../client/errors.ts'
import {
  csiStorageCapacities,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
} from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { capabilitiesOf } from '../csi/capability.ts'
import type { DriverNode, Drivers } from '../csi/drivers.ts'
import type { ControllerDeps } from '../types.ts'

const namespace = 'kube-system'
const driverLabel = 'csi.storage.k8s.io/drivername'
const managerLabel = 'csi.storage.k8s.io/managed-by'
const manager = 'csi-provisioner-controller'
/** Between two questions while somebody waits for an answer. */
const periodMs = 60_000

/** One place of one class, and the node whose driver tells how much is left there. */
export interface Place {
  name: string
  storageClass: Live<StorageClass>
  segments: Labels
  node: string
}

/** The places of which to tell what is left: of each class, each that nodes have in common. */
export function placesOf(classes: readonly Live<StorageClass>[], nodesOf: (driver: string) => DriverNode[]): Place[] {
  const places = new Map<string, Place>()
  for (const storageClass of classes) {
    for (const { name: node, segments } of nodesOf(storageClass.provisioner)) {
      if (Object.keys(segments).length === 0) continue
      const text = JSON.stringify([storageClass.metadata.name, Object.entries(segments).sort()])
      const name = `csisc-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
      if (!places.has(name)) places.set(name, { name, storageClass, segments, node })
    }
  }
  return [...places.values()]
}

/**
 * Publishes what is left where, of drivers that report it. Asked only while claims of a class have no volume, because nobody
 * else reads it: a driver that nobody uses is left alone.
 */
export function newCapacityController({ api, clock, informers, log }: ControllerDeps, drivers: Drivers): Controller {
  const queue = new WorkQueue({ clock, name: 'csi_provisioner_capacity' })
  const claims = informers.for<PersistentVolumeClaim>(persistentVolumeClaims)
  const volumes = informers.for<PersistentVolume>(persistentVolumes)
  const classes = informers.for<StorageClass>(storageClasses)
  const reports = informers.for<CSIStorageCapacity>(csiStorageCapacities)
  const look = () => queue.add('all')
  const seeClaim = (claim: Live<PersistentVolumeClaim>) => {
    if (!claim.spec?.volumeName) look()
  }
  claims.on({ add: seeClaim })
  volumes.on({ add: ({ spec }) => spec?.csi && look(), delete: ({ spec }) => spec?.csi && look() })
  classes.on({ add: look, delete: look })

  const reporting = () =>
    classes.lister.list().filter(({ provisioner }) => {
      return drivers.isOurs(provisioner) && drivers.driver(provisioner)?.spec?.storageCapacity
    })

  async function reconcile(_key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const all = reporting()
    const awaited = new Set(claims.lister.list().flatMap((claim) => (claim.spec?.volumeName ? [] : classOf(claim))))
    const places = placesOf(all, drivers.nodesOf)
    const asked = places.filter(({ storageClass }) => awaited.has(storageClass.metadata.name))
    for (const place of asked) {
      // A node that does not answer keeps none of the others from being told of.
      await publish(place, signal).catch((error: unknown) => {
        signal.throwIfAborted()
        log.warn(
          { node: place.node, class: place.storageClass.metadata.name, err: (error as Error).message },
          'no capacity',
        )
      })
    }
    const known = new Set(places.map(({ name }) => name))
    for (const { metadata } of reports.lister.list(namespace)) {
      if (metadata.labels?.[managerLabel] !== manager || known.has(metadata.name)) continue
      await api.delete(csiStorageCapacities, { namespace, name: metadata.name }, { signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    }
    return asked.length > 0 ? { requeueAfterMs: periodMs } : undefined
  }

  async function publish({ name, storageClass, segments, node }: Place, signal: AbortSignal): Promise<void> {
    const { provisioner, parameters = {} } = storageClass
    const question = {
      parameters,
      accessibleTopology: { segments },
      volumeCapabilities: capabilitiesOf({ accessModes: ['ReadWriteOnce'] }),
    }
    const answer = await drivers.call<{ availableCapacity?: string; maximumVolumeSize?: { value?: string } | null }>(
      node,
      provisioner,
      'GetCapacity',
      question,
      signal,
    )
    const largest = answer.maximumVolumeSize?.value
    const amounts = {
      capacity: quantityOf(answer.availableCapacity ?? '0'),
      ...(largest ? { maximumVolumeSize: quantityOf(largest) } : {}),
    }
    const standing = reports.lister.get(namespace, name)
    if (standing) {
      if (standing.capacity === amounts.capacity && standing.maximumVolumeSize === amounts.maximumVolumeSize) return
      await api.patch(csiStorageCapacities, { namespace, name }, { type: 'merge', body: amounts }, { signal })
      return
    }
    const labels = { [driverLabel]: provisioner, [managerLabel]: manager }
    const made = {
      metadata: { name, namespace, labels },
      storageClassName: storageClass.metadata.name,
      nodeTopology: { matchLabels: { ...segments } },
      ...amounts,
    }
    await api.create(csiStorageCapacities, made, { signal }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
  }

  return { name: 'csi-provisioner-capacity', workers: 1, queue, reconcile }
}

const quantityOf = (bytes: string): string =>
  formatQuantity({ nanos: BigInt(bytes) * 1_000_000_000n, format: 'BinarySI' })
