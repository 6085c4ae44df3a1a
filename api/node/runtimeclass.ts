import type { PodValidationOptions } from '../core/pod-spec/options.ts'
import { validateOverhead } from '../core/pod-spec/resources.ts'
import { validateTolerations } from '../core/pod-spec/tolerations.ts'
import type { RuntimeClass, Scheduling } from '../generated/types.ts'
import { duplicate, type FieldError, index, invalid, required } from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import { validateLabels } from '../machinery/labels.ts'
import { nameIsDNSLabel } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { deprecatedNodeLabel } from './deprecated-labels.ts'

export const runtimeClasses = defineResource<Stored<RuntimeClass>>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
  schema: builtinSchema('io.k8s.api.node.v1.RuntimeClass'),
  validate: (runtimeClass, old) => [
    ...validateRuntimeClass(runtimeClass),
    ...(old ? immutable(runtimeClass.handler, old.handler, 'handler') : []),
  ],
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((label) => {
      const why = deprecatedNodeLabel(label)
      return why ? [`scheduling.nodeSelector: ${why}`] : []
    }),
  strategy: { createOnUpdate: true, unconditionalUpdate: false },
  columns: [
    nameColumn,
    {
      name: 'Handler',
      type: 'string',
      description: 'Name by which the container runtime knows the configuration.',
      value: (runtimeClass) => runtimeClass.handler ?? '',
    },
    ageColumn,
  ],
})

/** A runtime class has no history of pods to be lenient for. */
const strict: PodValidationOptions = {
  resourceIsPod: false,
  allowInvalidDeletionCost: false,
  allowInvalidSelectorValues: false,
  allowInvalidRequiredNodeAffinityValues: false,
  allowInvalidSpreadSelectors: false,
  allowInvalidSpreadLabelKeys: false,
  allowIndivisibleHugePages: false,
  allowNonLocalTokenPaths: false,
  allowHostNamespaceSysctls: false,
  allowAnySELinuxChangePolicy: false,
  allowComparisonTolerations: false,
  allowHostNetworkWithUserNamespaces: false,
  allowVolumeDevicesWithUserNamespaces: false,
  allowRestartOnResizeOfInitContainers: false,
}

function validateRuntimeClass({ handler = '', overhead, scheduling }: Stored<RuntimeClass>): FieldError[] {
  const errors: FieldError[] =
    handler === ''
      ? [required('handler')]
      : nameIsDNSLabel(handler, false).map((message) => invalid('handler', handler, message))
  if (overhead) validateOverhead(errors, overhead.podFixed ?? {}, 'overhead', strict)
  if (scheduling) errors.push(...validateScheduling(scheduling))
  return errors
}

function validateScheduling({ nodeSelector, tolerations = [] }: Scheduling): FieldError[] {
  const path = 'scheduling.tolerations'
  const errors = validateLabels(nodeSelector, 'scheduling.nodeSelector')
  validateTolerations(errors, tolerations, path, false)
  const seen = new Set<string>()
  for (const [i, toleration] of tolerations.entries()) {
    const { key = '', operator = '', value = '', effect = '' } = toleration
    const identity = JSON.stringify([key, operator, value, effect])
    if (seen.has(identity)) errors.push(duplicate(index(path, i), toleration))
    seen.add(identity)
  }
  return errors
}
