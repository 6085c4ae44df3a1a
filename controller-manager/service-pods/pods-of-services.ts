import type { Pod, Service } from '../../api/generated/types.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/key.ts'
import type { Live } from '../../client/types.ts'
import { isReady, isTerminal } from '../pods/condition.ts'

/** Whether the service's selector picks the labels. A service without a selector picks nothing. */
export function selects({ spec }: Live<Service>, labels: Readonly<Record<string, string>> = {}): boolean {
  const selector = Object.entries(spec?.selector ?? {})
  return selector.length > 0 && selector.every(([name, value]) => labels[name] === value)
}

/** Whether endpoints of the service are made from pods at all: not without a selector, not for a name elsewhere. */
export const hasPods = ({ spec }: Live<Service>): boolean =>
  spec?.type !== 'ExternalName' && Object.keys(spec?.selector ?? {}).length > 0

/** The address of the pod in the family. */
export function podAddress({ status }: Live<Pod>, family: 'IPv4' | 'IPv6'): string | undefined {
  const is = (ip: string) => ip.includes(':') === (family === 'IPv6')
  const ips = status?.podIPs?.map(({ ip }) => ip) ?? []
  return ips.find((ip) => ip && is(ip)) ?? (status?.podIP && is(status.podIP) ? status.podIP : undefined)
}

/** What of a pod an endpoint shows: when it changes, the services of the pod are looked at again. */
function shownOf(pod: Live<Pod>): string {
  const { metadata, spec, status } = pod
  return JSON.stringify([
    status?.podIPs ?? status?.podIP,
    spec?.nodeName,
    spec?.hostname,
    spec?.subdomain,
    isReady(pod),
    isTerminal(pod),
    metadata.deletionTimestamp !== undefined,
  ])
}

/**
 * Calls `enqueue` with the key of each service that a change of a pod concerns: those it is or was selected by, when what
 * an endpoint shows of it or its labels change.
 */
export function watchPodsOfServices(
  pods: Informer<Pod>,
  services: Informer<Service>,
  enqueue: (serviceKey: string, changed: Live<Pod>) => void,
): void {
  const each = (pod: Live<Pod>, labels = pod.metadata.labels ?? {}) => {
    for (const service of services.lister.list(pod.metadata.namespace)) {
      if (selects(service, labels)) enqueue(keyOf(service), pod)
    }
  }
  pods.on({
    add: (pod) => each(pod),
    update: (before, after) => {
      const [was, is] = [JSON.stringify(before.metadata.labels ?? {}), JSON.stringify(after.metadata.labels ?? {})]
      if (was !== is) each(after, before.metadata.labels ?? {})
      if (was !== is || shownOf(before) !== shownOf(after)) each(after)
    },
    delete: (pod) => each(pod),
  })
}

/** The number behind a service's target port in this pod; undefined when the pod has no port of that name. */
export function targetPortIn(
  pod: Live<Pod>,
  { port, targetPort, protocol = 'TCP' }: { port: number; targetPort?: number | string; protocol?: string },
): number | undefined {
  if (targetPort === undefined || targetPort === 0 || targetPort === '') return port
  if (typeof targetPort === 'number') return targetPort
  if (/^\d+$/.test(targetPort)) return Number(targetPort)
  const { containers = [], initContainers = [] } = pod.spec ?? {}
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always')
  for (const { ports = [] } of [...containers, ...sidecars]) {
    for (const candidate of ports) {
      if (candidate.name === targetPort && (candidate.protocol ?? 'TCP') === protocol) return candidate.containerPort
    }
  }
  return undefined
}

/** When the newest change happened that the endpoints will show, for measuring how long that took. */
export function triggerTime(service: Live<Service>, pods: readonly Live<Pod>[]): string | undefined {
  let newest: string | undefined = service.metadata.creationTimestamp
  for (const { status } of pods) {
    const since = status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime
    if (since && (newest === undefined || since > newest)) newest = since
  }
  return newest
}
