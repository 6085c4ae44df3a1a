import type { EndpointSlice, Pod, Service } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { nearest } from '../nearest.ts'

/** What to do about a service that nobody answers for; undefined for one that answers, or is not answered for by pods. */
export function serviceHint(
  { metadata: { namespace }, spec = {} }: Live<Service>,
  slices: readonly EndpointSlice[],
  pods: readonly Live<Pod>[],
): string | undefined {
  const { selector = {}, type } = spec
  if (type === 'ExternalName' || Object.keys(selector).length === 0) return undefined
  const meant = pods.filter(({ metadata }) => labelsHave(metadata.labels, selector))
  if (meant.length === 0) return noPods(selector, pods, namespace)
  // Of a slice without endpoints upstream's servers say null.
  const isReady = slices.some(({ endpoints }) => endpoints?.some(({ conditions }) => conditions?.ready !== false))
  if (!isReady)
    return `nobody answers for it: of its ${meant.length === 1 ? 'one pod' : `${meant.length} pods`} none is ready. \`gantry describe pod ${meant[0]?.metadata.name} -n ${namespace}\` says why`
  return nameOfNoPort(spec.ports, meant) ?? numberOfNoPort(spec.ports, meant)
}

const labelsHave = (labels: Record<string, string> = {}, wanted: Record<string, string>): boolean =>
  Object.entries(wanted).every(([key, value]) => labels[key] === value)

/** Nobody has the labels: those that most likely were meant have one of the keys, or all but a value. */
function noPods(selector: Record<string, string>, pods: readonly Live<Pod>[], namespace = ''): string {
  const wanted = Object.entries(selector).map(([key, value]) => `${key}=${value}`)
  const there = new Set(
    pods.flatMap(({ metadata }) => Object.entries(metadata.labels ?? {}).map(([k, v]) => `${k}=${v}`)),
  )
  const corrected = wanted.map((label) => (there.has(label) ? label : (nearest(label, there) ?? label)))
  const isBetter = corrected.every((label) => there.has(label))
  return `nobody answers for it: no pod of ${namespace} has the labels ${wanted.join(',')}.${
    isBetter ? ` Did you mean ${corrected.join(',')}?` : ''
  } \`gantry get pods -n ${namespace} --show-labels\` shows which they have`
}

/** A port of pods that is called by name, and that none of them has. */
function nameOfNoPort(
  ports: NonNullable<Service['spec']>['ports'] = [],
  pods: readonly Live<Pod>[],
): string | undefined {
  const named = new Set(portsOf(pods).flatMap(({ name }) => (name ? [name] : [])))
  const missing = ports.find(({ targetPort }) => typeof targetPort === 'string' && !named.has(targetPort))?.targetPort
  if (missing === undefined) return undefined
  const others = named.size > 0 ? `: they are called ${[...named].join(', ')}` : ', and none has a name'
  return `its targetPort ${missing} is none of the ports in its pods' containers${others}`
}

/** A port of pods that is called by number, where all of them list theirs and none lists that: most likely a mistake. */
function numberOfNoPort(
  ports: NonNullable<Service['spec']>['ports'] = [],
  pods: readonly Live<Pod>[],
): string | undefined {
  if (pods.some((pod) => portsOf([pod]).length === 0)) return undefined
  const listed = new Set(portsOf(pods).map(({ containerPort }) => containerPort))
  const wanted = ports.map(({ port, targetPort = port }) => targetPort)
  const missing = wanted.find((port) => typeof port === 'number' && !listed.has(port))
  if (missing === undefined) return undefined
  return `its pods list ${listed.size === 1 ? 'the port' : 'the ports'} ${[...listed].join(', ')}, and it sends to ${missing}: if nothing listens there, correct targetPort`
}

const portsOf = (pods: readonly Live<Pod>[]) =>
  pods.flatMap(({ spec }) =>
    [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap(({ ports = [] }) => ports),
  )
