import type { Node, Pod, PodTemplateSpec } from '../../api/generated/types.ts'
import { decodeObject } from '../../api/machinery/decode.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import { builtinResources } from '../../api/registry.ts'
import type { Live } from '../../client/types.ts'

/** Pods that an object of a manifest will have, once its controller has made them. */
export interface Wanted {
  /** `deployment/web`. */
  owner: string
  pods: Live<Pod>[]
}

interface Workload {
  spec?:
    | {
        replicas?: number
        parallelism?: number
        completions?: number
        template?: PodTemplateSpec
        jobTemplate?: Workload
      }
    | undefined
}

/** How many pods each kind makes at a time. */
const counts: Record<string, (workload: Workload, nodes: number) => number> = {
  Pod: () => 1,
  Deployment: ({ spec }) => spec?.replicas ?? 1,
  ReplicaSet: ({ spec }) => spec?.replicas ?? 1,
  StatefulSet: ({ spec }) => spec?.replicas ?? 1,
  ReplicationController: ({ spec }) => spec?.replicas ?? 1,
  DaemonSet: (_, nodes) => nodes,
  Job: ({ spec }) => Math.min(spec?.parallelism ?? 1, spec?.completions ?? Number.POSITIVE_INFINITY),
  CronJob: ({ spec }) => counts.Job?.(spec?.jobTemplate ?? {}, 0) ?? 1,
}

const resources = builtinResources()

/**
 * The pods of an object, defaulted as the API server would; undefined for a kind that makes none. Those of a DaemonSet are
 * each bound to one node's name, as its controller does. Throws an Error for what is not understood.
 */
export function podsOf(
  object: AnyObject & { apiVersion: string; kind: string },
  nodes: readonly Live<Node>[],
  { namespace, priorities }: { namespace: string; priorities: ReadonlyMap<string, number> },
): Wanted | undefined {
  const count = counts[object.kind]
  if (!count) return undefined
  const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion]
  const resource = resources.find((one) => one.group === group && one.version === version && one.kind === object.kind)
  if (!resource) return undefined
  const decoded = decodeObject(resource.schema, object, { mode: 'Ignore' }).object as AnyObject
  resource.defaults?.(decoded)
  const workload = decoded as AnyObject & Workload
  const spec = workload.spec?.jobTemplate?.spec ?? workload.spec
  const template = object.kind === 'Pod' ? (decoded as PodTemplateSpec) : spec?.template
  if (!template?.spec?.containers?.length)
    throw new Error(`${object.kind} ${object.metadata?.name ?? ''} names no containers for its pods`)
  const name = object.metadata?.name ?? object.metadata?.generateName ?? 'unnamed'
  const pods = Array.from({ length: count(workload, nodes.length) }, (_, i): Live<Pod> => {
    const own = object.kind === 'Pod' ? name : `${name}-${i}`
    const priority = template.spec?.priority ?? priorities.get(template.spec?.priorityClassName ?? '') ?? 0
    const metadata = {
      ...template.metadata,
      name: own,
      namespace: object.metadata?.namespace ?? namespace,
      uid: `planned-${own}`,
    }
    const bound = object.kind === 'DaemonSet' ? { affinity: onlyOn(nodes[i]?.metadata.name ?? '') } : {}
    return { metadata, spec: { containers: [], ...template.spec, priority, ...bound } }
  })
  return { owner: `${object.kind.toLowerCase()}/${name}`, pods }
}

const onlyOn = (node: string) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [node] }] }],
    },
  },
})

/** `5000x32cpu`, `3x4cpu,16Gi`: nodes that are only imagined. Throws an Error that says how it is written. */
export function imaginedNodes(text: string): Live<Node>[] {
  const [, count, cpu, memory] = /^(\d+)x(\d+(?:\.\d+)?m?)cpu(?:,(\d+(?:Ki|Mi|Gi|Ti)))?$/.exec(text) ?? []
  if (!count || !cpu) throw new Error(`--nodes ${text}: written as 5000x32cpu or 3x4cpu,16Gi`)
  const allocatable = { cpu, memory: memory ?? `${4 * Math.ceil(Number.parseFloat(cpu))}Gi`, pods: '110' }
  return Array.from({ length: Number(count) }, (_, i) => {
    const name = `imagined-${i + 1}`
    const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' }
    return { metadata: { name, labels }, status: { allocatable, capacity: allocatable } }
  })
}
