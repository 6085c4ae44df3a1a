import { podTotal, type Quantities } from '../../api/core/pod-total.ts'
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { compareQuantity, quantityToNumber } from '../../api/machinery/quantity.ts'
import type { AdmissionContext } from './context.ts'
import { refuse } from './refuse.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './types.ts'

/** Fills in the requests and limits a namespace gives to containers that name none, and holds all to its bounds. */
export function createLimitRanger({ client, lookup }: AdmissionContext): AdmissionPlugin {
  const pods = lookup('', 'pods')
  const claims = lookup('', 'persistentvolumeclaims')
  const ranges = lookup('', 'limitranges')
  const rangesOf = ({ namespace }: AdmissionAttributes) => client.cachedList<Stored<LimitRange>>(ranges, namespace)
  return {
    name: 'LimitRanger',
    handles({ resource, operation, subresource, old }) {
      if (resource !== pods && resource !== claims) return false
      // What is on its way out need not fit any more.
      if (old?.metadata.deletionTimestamp !== undefined) return false
      if (operation === 'CREATE') return subresource === ''
      if (operation !== 'UPDATE') return false
      return resource === pods ? subresource === 'resize' : subresource === ''
    },
    admit(attributes) {
      if (attributes.resource !== pods) return
      for (const range of rangesOf(attributes)) fillIn(attributes.object as unknown as Stored<Pod>, range)
    },
    validate(attributes) {
      for (const { spec } of rangesOf(attributes)) {
        const limits = spec?.limits ?? []
        const faults =
          attributes.resource === pods
            ? limits.flatMap((limit) => podFaults(attributes.object as unknown as Stored<Pod>, limit))
            : limits.flatMap((limit) =>
                claimFaults(attributes.object as unknown as Stored<PersistentVolumeClaim>, limit),
              )
        if (faults.length > 0)
          throw refuse(attributes, faults.length === 1 ? (faults[0] as string) : `[${faults.join(', ')}]`)
      }
    },
  }
}

const annotation = 'kubernetes.io/limit-ranger'

function fillIn(pod: Stored<Pod>, { spec: range }: Stored<LimitRange>): void {
  const requests: Quantities = {}
  const limits: Quantities = {}
  for (const { type, default: limit, defaultRequest } of range?.limits ?? []) {
    if (type !== 'Container') continue
    Object.assign(requests, defaultRequest)
    Object.assign(limits, limit)
  }
  const notes: string[] = []
  const fill = (container: Container, title: string) => {
    const resources = { ...container.resources }
    const add = (field: 'requests' | 'limits', defaults: Quantities) => {
      const missing = Object.keys(defaults).filter((name) => resources[field]?.[name] === undefined)
      if (missing.length === 0) return
      resources[field] = { ...resources[field] }
      for (const name of missing) resources[field][name] = defaults[name] as string
      notes.push(
        `${missing.sort().join(', ')} ${field === 'requests' ? 'request' : 'limit'} for ${title} ${container.name}`,
      )
    }
    add('requests', requests)
    add('limits', limits)
    container.resources = resources
  }
  for (const container of pod.spec?.containers ?? []) fill(container, 'container')
  for (const container of pod.spec?.initContainers ?? []) fill(container, 'init container')
  if (notes.length === 0) return
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [annotation]: `LimitRanger plugin set: ${notes.join('; ')}`,
  }
}

function podFaults(pod: Stored<Pod>, limit: LimitRangeItem): string[] {
  const { spec } = pod
  if (!spec) return []
  if (limit.type === 'Container') {
    return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
      boundFaults(limit, resources?.requests ?? {}, resources?.limits ?? {}),
    )
  }
  if (limit.type !== 'Pod') return []
  // What a runtime needs besides is not the author's to answer for.
  const total = (field: 'requests' | 'limits') => podTotal(pod, field, { overhead: false })
  return boundFaults(limit, total('requests'), total('limits'))
}

function claimFaults({ spec }: Stored<PersistentVolumeClaim>, limit: LimitRangeItem): string[] {
  if (limit.type !== 'PersistentVolumeClaim') return []
  const requests = spec?.resources?.requests ?? {}
  const faults = Object.entries(limit.min ?? {}).map(([name, bound]) => minFault(limit.type, name, bound, requests, {}))
  for (const [name, bound] of Object.entries(limit.max ?? {})) {
    const request = requests[name]
    const title = `maximum ${name} usage per ${limit.type} is ${bound}`
    if (request === undefined) faults.push(`${title}.  No request is specified`)
    else if (compareQuantity(request, bound) > 0) faults.push(`${title}, but request is ${request}`)
  }
  return faults.filter((fault) => fault !== undefined)
}

function boundFaults(limit: LimitRangeItem, requests: Quantities, limits: Quantities): string[] {
  const { type } = limit
  return [
    ...Object.entries(limit.min ?? {}).map(([name, bound]) => minFault(type, name, bound, requests, limits)),
    ...Object.entries(limit.max ?? {}).map(([name, bound]) => maxFault(type, name, bound, requests, limits)),
    ...Object.entries(limit.maxLimitRequestRatio ?? {}).map(([name, bound]) =>
      ratioFault(type, name, bound, requests, limits),
    ),
  ].filter((fault) => fault !== undefined)
}

type Fault = (type: string, name: string, bound: string, requests: Quantities, limits: Quantities) => string | undefined

const minFault: Fault = (type, name, bound, requests, limits) => {
  const [request, limit] = [requests[name], limits[name]]
  const title = `minimum ${name} usage per ${type} is ${bound}`
  if (request === undefined) return `${title}.  No request is specified`
  if (compareQuantity(request, bound) < 0) return `${title}, but request is ${request}`
  if (limit !== undefined && compareQuantity(limit, bound) < 0) return `${title}, but limit is ${limit}`
  return undefined
}

const maxFault: Fault = (type, name, bound, requests, limits) => {
  const [request, limit] = [requests[name], limits[name]]
  const title = `maximum ${name} usage per ${type} is ${bound}`
  if (limit === undefined) return `${title}.  No limit is specified`
  if (compareQuantity(limit, bound) > 0) return `${title}, but limit is ${limit}`
  if (request !== undefined && compareQuantity(request, bound) > 0) return `${title}, but request is ${request}`
  return undefined
}

const ratioFault: Fault = (type, name, bound, requests, limits) => {
  const [request, limit] = [quantityToNumber(requests[name]), quantityToNumber(limits[name])]
  const title = `${name} max limit to request ratio per ${type} is ${bound}`
  if (request === 0) return `${title}, but no request is specified or request is 0`
  if (limit === 0) return `${title}, but no limit is specified or limit is 0`
  const ratio = limit / request
  return ratio > quantityToNumber(bound) ? `${title}, but provided ratio is ${ratio.toFixed(6)}` : undefined
}
