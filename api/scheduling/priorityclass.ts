import type { PriorityClass } from '../generated/types.ts'
import { type FieldError, forbidden, notSupported, required } from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

/** The largest priority a user may define; what is above belongs to the system. */
export const highestUserPriority = 1_000_000_000
const systemPrefix = 'system-'

/** The classes every cluster has; the server creates them at start. */
export const systemPriorityClasses: readonly Stored<PriorityClass>[] = [
  {
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
    globalDefault: false,
    preemptionPolicy: 'PreemptLowerPriority',
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    metadata: { name: 'system-cluster-critical' },
    value: 2_000_000_000,
    globalDefault: false,
    preemptionPolicy: 'PreemptLowerPriority',
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
]

export const priorityClasses = defineResource<Stored<PriorityClass>>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.scheduling.v1.PriorityClass'),
  defaults: (priorityClass) => {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  validate: (priorityClass, old) => (old ? validateUpdate(priorityClass, old) : validateCreate(priorityClass)),
  strategy: {
    // Set once and never raised: all that matters of the class is immutable.
    prepareForCreate: (priorityClass) => {
      priorityClass.metadata.generation = 1
    },
  },
  columns: [
    nameColumn,
    {
      name: 'Value',
      type: 'integer',
      description: 'The priority pods of this class get.',
      value: (priorityClass) => priorityClass.value ?? 0,
    },
    {
      name: 'Global-Default',
      type: 'boolean',
      description: 'Whether pods without a class get this one.',
      value: (priorityClass) => priorityClass.globalDefault ?? false,
    },
    ageColumn,
    {
      name: 'PreemptionPolicy',
      type: 'string',
      description: 'Whether pods of this class may preempt others.',
      value: (priorityClass) => priorityClass.preemptionPolicy ?? '',
    },
  ],
})

function validateCreate(priorityClass: Stored<PriorityClass>): FieldError[] {
  const errors: FieldError[] = []
  const { value = 0, preemptionPolicy } = priorityClass
  const name = priorityClass.metadata.name ?? ''
  if (name.startsWith(systemPrefix)) {
    const fault = reservedFault(name, value, priorityClass.globalDefault ?? false)
    if (fault) {
      errors.push(
        forbidden(
          'metadata.name',
          `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${fault}`,
        ),
      )
    }
  } else if (value > highestUserPriority) {
    errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${highestUserPriority}`))
  }
  if (preemptionPolicy === '') errors.push(required('preemptionPolicy'))
  else if (preemptionPolicy !== undefined && !['PreemptLowerPriority', 'Never'].includes(preemptionPolicy)) {
    errors.push(notSupported('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']))
  }
  return errors
}

function reservedFault(name: string, value: number, globalDefault: boolean): string | undefined {
  const known = systemPriorityClasses.find(({ metadata }) => metadata.name === name)
  if (!known) return `${name} is not a known system priority class`
  if (known.value !== value) return `value of ${name} PriorityClass must be ${known.value}`
  if (globalDefault) return `globalDefault of ${name} PriorityClass must be false`
  return undefined
}

const validateUpdate = (priorityClass: Stored<PriorityClass>, old: Stored<PriorityClass>): FieldError[] => [
  ...((priorityClass.value ?? 0) === (old.value ?? 0) ? [] : [forbidden('value', 'may not be changed in an update.')]),
  ...immutable(priorityClass.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy'),
]
