import { gangAnnotation, gangMinMembersAnnotation, gangTimeoutAnnotation } from '../api/gantry/gang.ts'
import type { Container, ContainerStatus, Node, Pod, PodSpec, PodStatus, Volume } from '../api/generated/types.ts'
import type { Live } from '../client/types.ts'
import { same } from './framework/cluster-events.ts'
import { given } from './given.ts'

/** Conditions of a pod that the scheduler reads or writes. */
const readConditions = new Set(['PodScheduled', 'DisruptionTarget', 'PodResizePending'])

const readAnnotations = [gangAnnotation, gangMinMembersAnnotation, gangTimeoutAnnotation]

/** What the scheduler needs of a pod, a small part of it. Parts that many pods have alike are kept once. */
export function trimPod(pod: Live<Pod>): Live<Pod> {
  const { name, namespace, uid, resourceVersion, generation, deletionTimestamp, labels, ownerReferences } = pod.metadata
  const annotations = only(pod.metadata.annotations, readAnnotations)
  const owner = ownerReferences?.find(({ controller }) => controller)
  const { spec, status } = pod
  return {
    metadata: given({
      name,
      namespace,
      uid,
      resourceVersion,
      generation,
      deletionTimestamp,
      labels: shared(labels),
      annotations: shared(annotations),
      ownerReferences: owner && shared([owner]),
    }),
    ...(spec ? { spec: trimSpec(spec) } : {}),
    ...(status ? { status: trimStatus(status, spec) } : {}),
  }
}

/** Those of some names; undefined where there are none. */
function only(all: Record<string, string> | undefined, names: readonly string[]): Record<string, string> | undefined {
  const found = all ? names.filter((name) => all[name] !== undefined) : []
  return found.length > 0 ? Object.fromEntries(found.map((name) => [name, all?.[name] ?? ''])) : undefined
}

function trimSpec(spec: PodSpec): PodSpec {
  const { nodeName, schedulerName, priority, preemptionPolicy, initContainers, schedulingGates, volumes } = spec
  const { tolerations, nodeSelector, affinity, topologySpreadConstraints, overhead, resources, resourceClaims } = spec
  const relevant = volumes?.filter(isRelevant)
  return given({
    nodeName,
    schedulerName,
    priority,
    preemptionPolicy,
    containers: shared(spec.containers.map(trimContainer)),
    initContainers: shared(initContainers?.map(trimContainer)),
    tolerations: shared(tolerations),
    nodeSelector: shared(nodeSelector),
    affinity: shared(affinity),
    topologySpreadConstraints: shared(topologySpreadConstraints),
    overhead: shared(overhead),
    resources: shared(resources),
    schedulingGates: schedulingGates?.length ? schedulingGates : undefined,
    volumes: relevant?.length ? shared(relevant) : undefined,
    resourceClaims: shared(resourceClaims),
  })
}

/** Claims, images, and disks that only some pods may use side by side. */
const isRelevant = (volume: Volume): boolean =>
  (volume.persistentVolumeClaim ??
    volume.ephemeral ??
    volume.image ??
    volume.iscsi ??
    volume.rbd ??
    volume.gcePersistentDisk ??
    volume.awsElasticBlockStore) !== undefined

function trimContainer({ name, image, ports, resources, restartPolicy }: Container): Container {
  const taken = ports?.filter(({ hostPort }) => hostPort)
  return given({
    name,
    image,
    ports: taken?.length ? taken : undefined,
    resources: resources?.requests && { requests: resources.requests },
    restartPolicy,
  })
}

function trimStatus(status: PodStatus, spec: PodSpec | undefined): PodStatus {
  const { nominatedNodeName, startTime, conditions, containerStatuses, initContainerStatuses, resourceClaimStatuses } =
    status
  const read = conditions?.filter(({ type }) => readConditions.has(type))
  return given({
    nominatedNodeName,
    startTime,
    conditions: read?.length ? read : undefined,
    containerStatuses: beingResized(containerStatuses, spec?.containers),
    initContainerStatuses: beingResized(initContainerStatuses, spec?.initContainers),
    resourceClaimStatuses,
  })
}

/** Only a container that holds something else than it asks for is worth a look. */
function beingResized(statuses: ContainerStatus[] = [], containers: Container[] = []): ContainerStatus[] | undefined {
  const differing = statuses.filter(({ name, resources, allocatedResources }) => {
    const wanted = containers.find((container) => container.name === name)?.resources?.requests
    return resources && !(same(resources.requests, wanted) && same(allocatedResources ?? wanted, wanted))
  })
  if (differing.length === 0) return undefined
  return differing.map(({ name, image, imageID, ready, restartCount, resources, allocatedResources }) =>
    given({ name, image, imageID, ready, restartCount, resources, allocatedResources }),
  )
}

/** What the scheduler needs of a node. Heartbeats change none of it. */
export function trimNode(node: Live<Node>): Live<Node> {
  const { name, uid, resourceVersion, labels } = node.metadata
  const { taints, unschedulable } = node.spec ?? {}
  const { allocatable, images } = node.status ?? {}
  return {
    metadata: given({ name, uid, resourceVersion, labels }),
    spec: given({ taints, unschedulable }),
    status: given({ allocatable, images: images?.map(({ names, sizeBytes }) => given({ names, sizeBytes })) }),
  }
}

const mostShared = 4096
const values = new Map<string, unknown>()

/** The first value with the same contents: pods of one template share what they have alike. */
function shared<T>(value: T | undefined): T | undefined {
  if (value === undefined) return undefined
  const text = JSON.stringify(value)
  const known = values.get(text)
  if (known !== undefined) return known as T
  if (values.size >= mostShared) values.clear()
  values.set(text, value)
  return value
}
