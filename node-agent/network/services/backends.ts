import type { IpFamily } from '../../../api/core/ip.ts'
import type { Endpoint, EndpointSlice } from '../../../api/generated/types.ts'
import { canonicalIp } from '../addresses.ts'

/** Who routes: endpoints are judged from this node. */
export interface Here {
  nodeName: string
  /** Of the node's label topology.kubernetes.io/zone. */
  zone: string | undefined
  family: IpFamily
}

/** One place that a port of a service may lead to. */
export interface Backend {
  ip: string
  port: number
  /** On this node. */
  local: boolean
  ready: boolean
  serving: boolean
  terminating: boolean
  nodeHints: readonly string[]
  zoneHints: readonly string[]
}

/** Where traffic goes, under each of the two traffic policies. */
export interface Choice {
  cluster: readonly Backend[]
  local: readonly Backend[]
  /** False when no node could serve at all: clients are refused, not dropped. */
  hasAny: boolean
}

/** The endpoints of the slices for one port, each address and port once, in a steady order. */
export function backendsOf(
  slices: readonly EndpointSlice[],
  portName: string,
  protocol: string,
  here: Here,
): Backend[] {
  const found = new Map<string, Backend>()
  for (const slice of slices) {
    if (slice.addressType !== here.family) continue
    for (const { name, protocol: spoken, port } of slice.ports ?? []) {
      if ((name ?? '') !== portName || (spoken ?? 'TCP').toLowerCase() !== protocol || !port) continue
      for (const endpoint of slice.endpoints ?? []) {
        const backend = backendOf(endpoint, port, here)
        if (!backend) continue
        const key = `${backend.ip} ${port}`
        const known = found.get(key)
        if (!known) found.set(key, backend)
        // While a pod moves from one slice to another it is in both: the better word counts.
        else if (backend.ready && !known.ready) found.set(key, { ...backend, local: backend.local || known.local })
        else if (backend.local && !known.local) found.set(key, { ...known, local: true })
      }
    }
  }
  return [...found.values()].sort((a, b) => compare(a.ip, b.ip) || a.port - b.port)
}

/**
 * Ready endpoints; where there is none, those that terminate and still serve: as upstream's proxy does, for each policy by
 * itself. Hints narrow the choice for the whole cluster when every ready endpoint has them and one is meant for us.
 */
export function chooseBackends(
  backends: readonly Backend[],
  uses: { cluster: boolean; local: boolean },
  here: Here,
): Choice {
  const ready = backends.filter((backend) => backend.ready)
  const lastResort = backends.filter((backend) => !backend.ready && backend.serving && backend.terminating)
  const cluster = uses.cluster ? (ready.length > 0 ? near(ready, here) : lastResort) : []
  const onThisNode = (some: readonly Backend[]) => some.filter((backend) => backend.local)
  const readyHere = uses.local ? onThisNode(ready) : []
  const local = readyHere.length > 0 || !uses.local ? readyHere : onThisNode(lastResort)
  return { cluster, local, hasAny: ready.length > 0 || lastResort.length > 0 }
}

function near(ready: readonly Backend[], { nodeName, zone }: Here): readonly Backend[] {
  const hinted = (hints: (backend: Backend) => readonly string[], wanted: string | undefined) => {
    if (wanted === undefined || !ready.every((backend) => hints(backend).length > 0)) return []
    return ready.filter((backend) => hints(backend).includes(wanted))
  }
  const sameNode = hinted((backend) => backend.nodeHints, nodeName)
  if (sameNode.length > 0) return sameNode
  const sameZone = hinted((backend) => backend.zoneHints, zone)
  return sameZone.length > 0 ? sameZone : ready
}

function backendOf(endpoint: Endpoint, port: number, { nodeName, family }: Here): Backend | undefined {
  // All addresses of an endpoint are the same pod: one is enough.
  const ip = canonicalIp(endpoint.addresses[0], family)
  if (ip === undefined) return undefined
  const { ready, serving, terminating } = endpoint.conditions ?? {}
  return {
    ip,
    port,
    local: endpoint.nodeName === nodeName,
    ready: ready ?? true,
    serving: serving ?? true,
    terminating: terminating ?? false,
    nodeHints: (endpoint.hints?.forNodes ?? []).map(({ name }) => name),
    zoneHints: (endpoint.hints?.forZones ?? []).map(({ name }) => name),
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
