import type { LimitRange, Namespace, ResourceQuota } from '../../api/generated/types.ts'
import { isNotFound } from '../../client/errors.ts'
import type { Live } from '../../client/types.ts'
import { describes, type Surroundings } from './describer.ts'
import { field, identity, indent, longTime, section, sortedEntries, tabled } from './lines.ts'

/** A namespace, with what limits its use. */
export const namespace = describes<Namespace>(
  async (object, around) => {
    const { metadata, status } = object
    const [quotas, limits] = await Promise.all([
      readIfServed<ResourceQuota>(around, 'resourcequotas', metadata.name),
      readIfServed<LimitRange>(around, 'limitranges', metadata.name),
    ])
    const conditions = (status?.conditions ?? []).map((one) => [
      one.type,
      one.status,
      longTime(one.lastTransitionTime),
      one.reason ?? '',
      one.message ?? '',
    ])
    return [
      ...identity(object, { namespace: false }),
      field('Status', status?.phase),
      ...(conditions.length > 0
        ? section('Conditions', tabled(['Type', 'Status', 'LastTransitionTime', 'Reason', 'Message'], conditions))
        : []),
      ...(quotas ? ['', ...quotasLines(quotas)] : []),
      ...(limits ? ['', ...limitsLines(limits)] : []),
    ]
  },
  { events: false },
)

/** A server need not serve every kind that limits. */
async function readIfServed<T>({ list }: Surroundings, resource: string, name: string): Promise<Live<T>[] | undefined> {
  try {
    return await list<T>(resource, { namespace: name })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function quotasLines(quotas: readonly Live<ResourceQuota>[]): string[] {
  if (quotas.length === 0) return ['No resource quota.']
  const sorted = [...quotas].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  return [
    'Resource Quotas',
    ...sorted.flatMap((quota) =>
      indent([
        field('Name', quota.metadata.name),
        ...scopeLines(quota, ''),
        'Resource\tUsed\tHard',
        '--------\t---\t---',
        ...usedAndHard(quota),
      ]),
    ),
  ]
}

const usedAndHard = ({ status }: Live<ResourceQuota>): string[] =>
  sortedEntries(status?.hard).map(([name, hard]) => `${name}\t${status?.used?.[name] ?? '0'}\t${hard}`)

const scopeMeanings: Record<string, string> = {
  Terminating:
    'Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system.',
  NotTerminating:
    'Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate.',
  BestEffort:
    'Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.',
  NotBestEffort:
    'Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.',
}

function scopeLines({ spec }: Live<ResourceQuota>, bullet: string): string[] {
  const scopes = [...(spec?.scopes ?? [])].sort()
  if (scopes.length === 0) return []
  const meanings = scopes.flatMap((scope) => scopeMeanings[scope] ?? [])
  return [field('Scopes', scopes.join(', ')), ...meanings.map((meaning) => `${bullet}* ${meaning}`)]
}

/** A quota: how much of what is taken. */
export const resourceQuota = describes<ResourceQuota>(
  (object) => [
    field('Name', object.metadata.name),
    field('Namespace', object.metadata.namespace),
    ...scopeLines(object, ' '),
    ...tabled(['Resource', 'Used', 'Hard'], []),
    ...usedAndHard(object),
  ],
  { events: false },
)

const limitHeader = ['Type', 'Resource', 'Min', 'Max', 'Default Request', 'Default Limit', 'Max Limit/Request Ratio']

function limitsLines(limits: readonly Live<LimitRange>[]): string[] {
  if (limits.length === 0) return ['No LimitRange resource.']
  return ['Resource Limits', ...tabled(limitHeader, limits.flatMap(limitRows)).map((line) => ` ${line}`)]
}

function limitRows({ spec }: Live<LimitRange>): string[][] {
  return (spec?.limits ?? []).flatMap(({ type, min, max, default: limit, defaultRequest, maxLimitRequestRatio }) => {
    const lists = [min, max, defaultRequest, limit, maxLimitRequestRatio]
    const names = [...new Set(lists.flatMap((list) => Object.keys(list ?? {})))].sort()
    return names.map((name) => [type, name, ...lists.map((list) => list?.[name] ?? '-')])
  })
}

/** What containers, pods and claims may ask for. */
export const limitRange = describes<LimitRange>(
  (object) => [
    field('Name', object.metadata.name),
    field('Namespace', object.metadata.namespace),
    ...tabled(limitHeader, limitRows(object)),
  ],
  { events: false },
)
