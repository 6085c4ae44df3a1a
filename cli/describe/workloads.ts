import { isDeepStrictEqual } from 'node:util'
import type {
  DaemonSet,
  Deployment,
  LabelSelector,
  PersistentVolumeClaim,
  Pod,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../../api/generated/types.ts'
import { formatLabelSelector, formatSelectorString } from '../../api/machinery/labels.ts'
import { joinOrNone } from '../../api/machinery/print.ts'
import type { Live } from '../../client/types.ts'
import { templateWithoutHash } from '../rollout/revisions.ts'
import { storageClassOf } from './claim.ts'
import { type Describer, describes, type Surroundings } from './describer.ts'
import {
  annotationsField,
  bracketed,
  conditionsTable,
  field,
  identity,
  indent,
  labelsField,
  longTime,
  section,
  textsOf,
} from './lines.ts'
import { controlledBy } from './pod.ts'
import { templateLines } from './pod-template.ts'
import { workloadHint } from './workload-hint.ts'

const hint: Describer['hint'] = (object, _events, around) => workloadHint(object, around)

/** A deployment: how far it is, and the replica sets it has. */
export const deployment = describes<Deployment>(
  async (object, around) => {
    const { metadata, spec, status = {} } = object
    const { old, current } = await replicaSetsOf(object, around)
    const { rollingUpdate } = spec?.strategy ?? {}
    return [
      field('Name', metadata.name),
      field('Namespace', metadata.namespace),
      field('CreationTimestamp', longTime(metadata.creationTimestamp)),
      ...labelsField('Labels', metadata.labels),
      ...annotationsField('Annotations', metadata.annotations),
      field('Selector', formatSelectorString(spec?.selector)),
      field(
        'Replicas',
        [
          `${spec?.replicas ?? 1} desired`,
          `${status.updatedReplicas ?? 0} updated`,
          `${status.replicas ?? 0} total`,
          `${status.availableReplicas ?? 0} available`,
          `${status.unavailableReplicas ?? 0} unavailable`,
        ].join(' | '),
      ),
      field('StrategyType', spec?.strategy?.type),
      field('MinReadySeconds', spec?.minReadySeconds ?? 0),
      ...(rollingUpdate
        ? [
            field(
              'RollingUpdateStrategy',
              `${rollingUpdate.maxUnavailable} max unavailable, ${rollingUpdate.maxSurge} max surge`,
            ),
          ]
        : []),
      ...templateLines(spec?.template),
      ...conditionsTable(status.conditions),
      ...(old.length + current.length > 0
        ? [field('OldReplicaSets', replicaSetsText(old)), field('NewReplicaSet', replicaSetsText(current))]
        : []),
    ]
  },
  { hint },
)

/** The replica sets of a deployment: the one of its template, and those before it. */
async function replicaSetsOf(
  { metadata, spec }: Live<Deployment>,
  { list }: Surroundings,
): Promise<{ old: Live<ReplicaSet>[]; current: Live<ReplicaSet>[] }> {
  const found = await list<ReplicaSet>('replicasets.apps', {
    namespace: metadata.namespace,
    labelSelector: formatSelectorString(spec?.selector),
  })
  const own = found
    .filter((set) => set.metadata.ownerReferences?.some(({ uid, controller }) => controller && uid === metadata.uid))
    .sort((a, b) => Date.parse(a.metadata.creationTimestamp ?? '') - Date.parse(b.metadata.creationTimestamp ?? ''))
  const newest = own.find((set) => isDeepStrictEqual(templateWithoutHash(set), spec?.template))
  return { old: own.filter((set) => set !== newest), current: newest ? [newest] : [] }
}

const replicaSetsText = (sets: readonly Live<ReplicaSet>[]): string =>
  joinOrNone(
    sets.map(
      ({ metadata, spec, status }) =>
        `${metadata.name} (${status?.replicas ?? 0}/${spec?.replicas ?? 1} replicas created)`,
    ),
    ', ',
  )

/** A replica set, and how its pods fare. */
export const replicaSet = describes<ReplicaSet>(
  async (object, around) => [
    ...selecting(object, formatLabelSelector(object.spec?.selector)),
    ...controlledBy(object),
    ...(await replicaLines(object, around, formatSelectorString(object.spec?.selector))),
  ],
  { hint },
)

/** A replication controller, likewise. */
export const replicationController = describes<ReplicationController>(
  async (object, around) => [
    ...selecting(object, textsOf(object.spec?.selector)),
    ...(await replicaLines(object, around, formatSelectorString(object.spec?.selector))),
  ],
  { hint },
)

async function replicaLines(
  { metadata, spec, status }: Live<ReplicaSet | ReplicationController>,
  around: Surroundings,
  labelSelector: string,
): Promise<string[]> {
  return [
    field('Replicas', `${status?.replicas ?? 0} current / ${spec?.replicas ?? 1} desired`),
    field('Pods Status', await podsText(around, metadata, labelSelector)),
    ...templateLines(spec?.template),
    ...conditionsTable(status?.conditions),
  ]
}

/** A stateful set, with the claims it makes for its pods. */
export const statefulSet = describes<StatefulSet>(
  async (object, around) => {
    const { metadata, spec, status } = object
    const selector = formatSelectorString(spec?.selector)
    const { partition, maxUnavailable } = spec?.updateStrategy?.rollingUpdate ?? {}
    return [
      field('Name', metadata.name),
      field('Namespace', metadata.namespace),
      field('CreationTimestamp', longTime(metadata.creationTimestamp)),
      field('Selector', selector),
      ...labelsField('Labels', metadata.labels),
      ...annotationsField('Annotations', metadata.annotations),
      field('Replicas', `${spec?.replicas ?? 1} desired | ${status?.replicas ?? 0} total`),
      field('Update Strategy', spec?.updateStrategy?.type),
      ...(partition === undefined
        ? []
        : indent([
            field('Partition', partition),
            ...(maxUnavailable === undefined ? [] : [field('MaxUnavailable', maxUnavailable)]),
          ])),
      field('Pods Status', await podsText(around, metadata, selector)),
      ...templateLines(spec?.template),
      ...claimTemplateLines(spec?.volumeClaimTemplates),
    ]
  },
  { hint },
)

function claimTemplateLines(claims: readonly PersistentVolumeClaim[] = []): string[] {
  if (claims.length === 0) return ['Volume Claims:\t<none>']
  return section(
    'Volume Claims',
    claims.flatMap((claim) => [
      field('Name', claim.metadata?.name),
      field('StorageClass', storageClassOf(claim)),
      ...labelsField('Labels', claim.metadata?.labels),
      ...labelsField('Annotations', claim.metadata?.annotations),
      field('Capacity', claim.spec?.resources?.requests?.storage ?? '<default>'),
      field('Access Modes', bracketed(claim.spec?.accessModes)),
    ]),
  )
}

/** A daemon set, and on how many nodes it is. */
export const daemonSet = describes<DaemonSet>(
  async (object, around) => {
    const { metadata, spec, status } = object
    const selector = formatSelectorString(spec?.selector)
    return [
      field('Name', metadata.name),
      field('Namespace', metadata.namespace),
      field('Selector', selector),
      field('Node-Selector', textsOf(spec?.template?.spec?.nodeSelector)),
      ...labelsField('Labels', metadata.labels),
      ...annotationsField('Annotations', metadata.annotations),
      `Desired Number of Nodes Scheduled: ${status?.desiredNumberScheduled ?? 0}`,
      `Current Number of Nodes Scheduled: ${status?.currentNumberScheduled ?? 0}`,
      `Number of Nodes Scheduled with Up-to-date Pods: ${status?.updatedNumberScheduled ?? 0}`,
      `Number of Nodes Scheduled with Available Pods: ${status?.numberAvailable ?? 0}`,
      `Number of Nodes Misscheduled: ${status?.numberMisscheduled ?? 0}`,
      field('Pods Status', await podsText(around, metadata, selector)),
      ...templateLines(spec?.template),
    ]
  },
  { hint },
)

/** How kinds with a selector begin. */
function selecting(object: Live<{ spec?: { selector?: LabelSelector | Record<string, string> } }>, selector: string) {
  const [name = '', namespace = '', ...rest] = identity(object)
  return [name, namespace, field('Selector', selector), ...rest]
}

/** `1 Running / 0 Waiting / 0 Succeeded / 0 Failed`: the pods that the object controls. */
async function podsText(
  { list }: Surroundings,
  { namespace, uid }: Live<Pod>['metadata'],
  labelSelector: string,
): Promise<string> {
  const pods = await list<Pod>('pods', { namespace, labelSelector })
  const own = pods.filter(({ metadata }) =>
    metadata.ownerReferences?.some(({ controller, uid: of }) => controller && of === uid),
  )
  const count = (phase: string) => own.filter(({ status }) => status?.phase === phase).length
  return `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`
}
