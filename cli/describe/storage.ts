import type {
  CSINode,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  VolumeAttributesClass,
} from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { accessModesText, claimLines } from './claim.ts'
import { describes, type Surroundings } from './describer.ts'
import {
  annotationsField,
  boolText,
  bracketed,
  field,
  fieldIf,
  identity,
  indent,
  labelsField,
  listed,
  longTime,
  phaseOrTerminating,
  section,
  textsOf,
} from './lines.ts'
import { sourceLines } from './volumes.ts'

/** A persistent volume, and where its bytes are. */
export const persistentVolume = describes<PersistentVolume>((object, { nowMs }) => {
  const { metadata, spec = {}, status } = object
  const { claimRef } = spec
  const source = sourceLines(spec)
  return [
    field('Name', metadata.name),
    ...labelsField('Labels', metadata.labels),
    ...annotationsField('Annotations', metadata.annotations),
    field('Finalizers', bracketed(metadata.finalizers)),
    field('StorageClass', metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName),
    field('Status', phaseOrTerminating(object, status?.phase, nowMs)),
    field('Claim', claimRef ? `${claimRef.namespace}/${claimRef.name}` : ''),
    field('Reclaim Policy', spec.persistentVolumeReclaimPolicy),
    field('Access Modes', accessModesText(spec.accessModes)),
    ...fieldIf('VolumeMode', spec.volumeMode),
    field('Capacity', spec.capacity?.storage ?? '0'),
    ...nodeAffinityLines(spec),
    field('Message', status?.message),
    'Source:',
    ...(source.length > 0 ? indent(source, 2) : ['  <unknown>']),
  ]
})

function nodeAffinityLines({ nodeAffinity }: NonNullable<PersistentVolume['spec']>): string[] {
  const terms = nodeAffinity?.required?.nodeSelectorTerms
  if (!terms) return [field('Node Affinity', '<none>')]
  if (terms.length === 0) return ['Node Affinity:\t', '  Required Terms:\t<none>']
  return [
    'Node Affinity:\t',
    '  Required Terms:\t',
    ...terms.flatMap(({ matchExpressions = [] }, i) =>
      indent(
        listed(
          `Term ${i}`,
          matchExpressions.map(
            ({ key, operator, values = [] }) =>
              `${key} ${operator.toLowerCase()}${values.length > 0 ? ` [${values.join(', ')}]` : ''}`,
          ),
        ),
        2,
      ),
    ),
  ]
}

/** A claim, and the pods that use it. */
export const persistentVolumeClaim = describes<PersistentVolumeClaim>(async (object, around) => {
  const { metadata, status } = object
  const users = await usersOf(object, around)
  const conditions = (status?.conditions ?? []).map((one) => [
    `${one.type} `,
    `${one.status} `,
    `${longTime(one.lastProbeTime)} `,
    `${longTime(one.lastTransitionTime)} `,
    `${one.reason ?? ''} `,
    one.message ?? '',
  ])
  return [
    field('Name', metadata.name),
    field('Namespace', metadata.namespace),
    ...claimLines(object, {
      status: [field('Status', phaseOrTerminating(object, status?.phase, around.nowMs))],
      finalizers: [field('Finalizers', bracketed(metadata.finalizers))],
    }),
    ...listed('Used By', users.map(({ metadata: { name } }) => name).sort()),
    ...(conditions.length > 0
      ? section('Conditions', [
          'Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage',
          '----\t------\t-----------------\t------------------\t------\t-------',
          ...conditions.map((cells) => cells.join('\t')),
        ])
      : []),
  ]
})

async function usersOf({ metadata }: Live<PersistentVolumeClaim>, { list }: Surroundings): Promise<Live<Pod>[]> {
  const pods = await list<Pod>('pods', { namespace: metadata.namespace })
  const owners = new Set((metadata.ownerReferences ?? []).flatMap(({ kind, uid }) => (kind === 'Pod' ? [uid] : [])))
  return pods.filter(
    ({ metadata: { uid = '' }, spec }) =>
      owners.has(uid) || spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === metadata.name),
  )
}

const defaultAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]

/** A storage class: who makes volumes of it, and how. */
export const storageClass = describes<StorageClass>((object) => {
  const { metadata, provisioner, parameters, mountOptions = [], allowedTopologies } = object
  const isDefault = defaultAnnotations.some((name) => metadata.annotations?.[name] === 'true')
  return [
    field('Name', metadata.name),
    field('IsDefaultClass', isDefault ? 'Yes' : 'No'),
    field('Annotations', textsOf(metadata.annotations)),
    field('Provisioner', provisioner),
    field('Parameters', textsOf(parameters)),
    field('AllowVolumeExpansion', boolText(object.allowVolumeExpansion)),
    ...(mountOptions.length === 0 ? [field('MountOptions', '<none>')] : section('MountOptions', mountOptions)),
    ...fieldIf('ReclaimPolicy', object.reclaimPolicy),
    ...fieldIf('VolumeBindingMode', object.volumeBindingMode),
    ...(allowedTopologies
      ? [
          'AllowedTopologies:\t',
          ...allowedTopologies.flatMap(({ matchLabelExpressions = [] }, i) =>
            indent(
              listed(
                `Term ${i}`,
                matchLabelExpressions.map(({ key, values }) => `${key} in [${values.join(', ')}]`),
              ),
            ),
          ),
        ]
      : []),
  ]
})

/** What volumes may be changed to without being made anew. */
export const volumeAttributesClass = describes<VolumeAttributesClass>(({ metadata, driverName, parameters }) => [
  field('Name', metadata.name),
  field('Annotations', textsOf(metadata.annotations)),
  field('DriverName', driverName),
  field('Parameters', textsOf(parameters)),
])

/** The storage drivers of a node. */
export const csiNode = describes<CSINode>((object) => [
  ...identity(object, { namespace: false }),
  field('CreationTimestamp', longTime(object.metadata.creationTimestamp)),
  'Spec:',
  ...(object.spec.drivers
    ? indent([
        'Drivers:',
        ...object.spec.drivers.flatMap(({ name, nodeID, allocatable, topologyKeys }) => [
          `  ${name}:`,
          ...indent(
            [
              field('Node ID', nodeID),
              ...(allocatable?.count === undefined ? [] : section('Allocatables', [field('Count', allocatable.count)])),
              ...(topologyKeys ? [field('Topology Keys', bracketed(topologyKeys))] : []),
            ],
            2,
          ),
        ]),
      ])
    : []),
])
