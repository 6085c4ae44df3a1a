import { isDeepStrictEqual } from 'node:util'
import type { CSINode, CSINodeDriver, Node } from '../../api/generated/types.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../../client/errors.ts'
import type { Logger } from '../../client/logger.ts'
import { csiNodes, nodes } from '../../client/resources.ts'
import type { Api, Clock, Live } from '../../client/types.ts'
import { Nap } from '../pods/nap.ts'
import type { CsiDrivers, KnownDriver } from './drivers.ts'

export interface CsiNodeOptions {
  api: Api
  clock: Clock
  log: Logger
  drivers: CsiDrivers
  nodeName: string
  /** The node as the API has it; undefined: not registered yet. */
  node(): Live<Node> | undefined
  signal: AbortSignal
}

const maxRetryMs = 30_000

/** Keeps the CSINode object and the topology labels of the node true to the drivers that are registered. */
export class CsiNodePublisher {
  readonly #options: CsiNodeOptions
  readonly #nap: Nap
  #stale = true
  #uid: string | undefined

  constructor(options: CsiNodeOptions) {
    this.#options = options
    this.#nap = new Nap(options.clock, options.signal)
    options.drivers.onChange(() => this.look())
  }

  /** Something has changed: compare again. */
  look(): void {
    this.#stale = true
    this.#nap.wake()
  }

  /** The watch has a newer version of the node. */
  seen(node: Live<Node>): void {
    if (node.metadata.uid !== this.#uid || missingLabels(node, this.#options.drivers.list())) this.look()
  }

  /** Writes until the signal fires. */
  async run(): Promise<void> {
    const { log, signal } = this.#options
    for (let failures = 0; !signal.aborted; ) {
      if (!this.#stale) {
        await this.#nap.rest(24 * 3600 * 1000)
        continue
      }
      this.#stale = false
      try {
        await this.#write()
        failures = 0
      } catch (error) {
        this.#stale = true
        if (signal.aborted) return
        log.warn({ err: error }, 'the storage drivers of the node cannot be told of yet')
        await this.#nap.rest(Math.min(maxRetryMs, 200 * 2 ** failures++))
      }
    }
  }

  async #write(): Promise<void> {
    const { api, drivers, nodeName, node, signal } = this.#options
    const owner = node()
    if (!owner) return
    this.#uid = owner.metadata.uid
    const labels = missingLabels(owner, drivers.list())
    if (labels) {
      await api.patch(nodes, { name: nodeName }, { type: 'merge', body: { metadata: { labels } } }, { signal })
    }
    const key = { name: nodeName }
    const found = await api.get(csiNodes, key, { signal }).catch((error) => {
      if (!isNotFound(error)) throw error
    })
    const wanted = drivers.list().map(describe)
    if (!found) {
      const made = { ...newCsiNode(owner), spec: { drivers: wanted } }
      await api.create(csiNodes, made, { signal }).catch((error) => {
        if (!isAlreadyExists(error)) throw error
        this.#stale = true
      })
      return
    }
    for (const step of csiNodeSteps(found.spec.drivers ?? [], wanted, drivers.isSettled)) {
      const current = await api.get(csiNodes, key, { signal })
      const { ownerReferences } = newCsiNode(owner).metadata
      const next = { ...current, metadata: { ...current.metadata, ownerReferences }, spec: { drivers: step } }
      await api.update(csiNodes, next as CSINode, { signal }).catch((error) => {
        if (!isConflict(error)) throw error
        this.#stale = true
      })
    }
  }
}

/**
 * What the object's list becomes, one write after the other: a driver that is known by something else now has to leave
 * before it comes back, for what is said of one may not change. Until drivers are settled
 * nobody else is put out.
 */
export function csiNodeSteps(
  before: readonly CSINodeDriver[],
  wanted: readonly CSINodeDriver[],
  settled: boolean,
): CSINodeDriver[][] {
  const kept = settled ? [] : before.filter(({ name }) => !wanted.some((driver) => driver.name === name))
  const after = [...kept, ...wanted].sort((a, b) => (a.name < b.name ? -1 : 1))
  const sorted = [...before].sort((a, b) => (a.name < b.name ? -1 : 1))
  if (isDeepStrictEqual(sorted, after)) return []
  const staying = after.filter((driver) => {
    const old = before.find(({ name }) => name === driver.name)
    return !old || isDeepStrictEqual(identity(old), identity(driver))
  })
  return staying.length === after.length ? [after] : [staying, after]
}

const identity = ({ allocatable: _, ...rest }: CSINodeDriver): object => rest

/** A driver as the object lists it. */
function describe({ name, info }: KnownDriver): CSINodeDriver {
  const keys = Object.keys(info.accessibleTopology?.segments ?? {}).sort()
  const count = Number(info.maxVolumesPerNode)
  return {
    name,
    nodeID: info.nodeId,
    ...(keys.length > 0 ? { topologyKeys: keys } : {}),
    ...(count > 0 ? { allocatable: { count } } : {}),
  }
}

const newCsiNode = ({ metadata: { name, uid = '' } }: Live<Node>) => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'CSINode',
  metadata: { name, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] },
})

/** The labels that drivers want on the node and that it does not have; undefined: none. */
function missingLabels(node: Live<Node>, drivers: readonly KnownDriver[]): Record<string, string> | undefined {
  const wanted = drivers.flatMap(({ info }) => Object.entries(info.accessibleTopology?.segments ?? {}))
  const missing = wanted.filter(([key, value]) => node.metadata.labels?.[key] !== value)
  return missing.length > 0 ? Object.fromEntries(missing) : undefined
}
