import { checkNonNegative } from '../core/pod-spec/checks.ts'
import { defaultPodTemplate } from '../core/pod-spec/defaults.ts'
import { dropDisabledFields } from '../core/pod-spec/disabled-fields.ts'
import {
  validatePodTemplateSpec,
  validateSelectorFindsTemplate,
  validateWorkloadSelector,
} from '../core/pod-spec/template.ts'
import { templateColumns } from '../core/pod-spec/template-columns.ts'
import { podValidationOptions } from '../core/pod-spec/tolerance.ts'
import { validateRunsForEver } from '../core/pod-spec/validation.ts'
import { podTemplateWarnings } from '../core/pod-spec/warnings.ts'
import { workloadNameWarnings } from '../core/pod-spec/workload-name.ts'
import { validateAvailableAreReady, validateCollisionCount, validateReplicaCounts } from '../core/replica-counts.ts'
import { parseRolloutSteps, rolloutStepsAnnotation } from '../gantry/rollout-steps.ts'
import type { Deployment, DeploymentSpec, DeploymentStrategy, LabelSelector } from '../generated/types.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { immutable, semanticEqual } from '../machinery/field-rules.ts'
import { isNotMoreThan100Percent, validatePositiveIntOrPercent } from '../machinery/int-or-string.ts'
import { formatSelectorString } from '../machinery/labels.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { amountOf } from './rolling-update.ts'

type StoredDeployment = Stored<Deployment>

export const deployments = defineResource<StoredDeployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.apps.v1.Deployment'),
  defaults: (deployment) => {
    const spec = specOf(deployment)
    deployment.spec = spec
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
    spec.progressDeadlineSeconds ??= 600
    spec.template ??= {}
    defaultPodTemplate(spec.template)
    spec.strategy ??= {}
    spec.strategy.type ||= 'RollingUpdate'
    if (spec.strategy.type !== 'RollingUpdate') return
    spec.strategy.rollingUpdate ??= {}
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%'
    spec.strategy.rollingUpdate.maxSurge ??= '25%'
  },
  validate: (deployment, old) => {
    const errors: FieldError[] = []
    const spec = specOf(deployment)
    validateSpec(errors, spec, old?.spec)
    if (old) errors.push(...immutable(spec.selector, old.spec?.selector, 'spec.selector'))
    errors.push(...validateRolloutSteps(deployment))
    return errors
  },
  validateStatus: ({ status }, old) => {
    const errors: FieldError[] = []
    validateReplicaCounts(errors, status, 'updatedReplicas', 'readyReplicas', 'availableReplicas')
    validateAvailableAreReady(errors, status)
    validateCollisionCount(errors, status?.collisionCount, old?.status?.collisionCount)
    return errors
  },
  warnings: (deployment, old) => {
    if (old && deployment.metadata.generation === old.metadata.generation) return []
    const warnings = podTemplateWarnings(deployment.spec?.template, 'spec.template')
    return old ? warnings : [...workloadNameWarnings(deployment.metadata.name), ...warnings]
  },
  strategy: {
    status: true,
    generation: 'spec',
    prepareForCreate: (deployment) => dropDisabledFields(deployment.spec?.template?.spec),
    prepareForUpdate: (deployment, old) => {
      dropDisabledFields(deployment.spec?.template?.spec)
      // Annotations are passed on to replica sets: a change of theirs is work for the controller, too.
      if (!semanticEqual(deployment.metadata.annotations, old.metadata.annotations)) {
        deployment.metadata.generation = (old.metadata.generation ?? 0) + 1
      }
    },
    prepareForStatusUpdate: (deployment, old) => {
      if (old.metadata.labels) deployment.metadata.labels = old.metadata.labels
      else delete deployment.metadata.labels
    },
  },
  columns: [
    nameColumn,
    {
      name: 'Ready',
      type: 'string',
      description: 'Number of the pod with ready state',
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    },
    {
      name: 'Up-to-date',
      type: 'string',
      description: 'How many pods are of the current template.',
      value: ({ status }) => status?.updatedReplicas ?? 0,
    },
    {
      name: 'Available',
      type: 'string',
      description: 'How many pods have been ready for long enough.',
      value: ({ status }) => status?.availableReplicas ?? 0,
    },
    ageColumn,
    ...templateColumns<StoredDeployment>(({ spec }) => spec?.template),
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: 'Labels of the pods that count.',
      value: ({ spec }) => formatSelectorString(spec?.selector),
    },
  ],
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
})

/** Decoded objects may lack what the types say they have. */
const specOf = ({ spec }: StoredDeployment): DeploymentSpec => spec ?? ({} as DeploymentSpec)

function validateSpec(errors: FieldError[], spec: DeploymentSpec, old: DeploymentSpec | undefined): void {
  checkNonNegative(errors, spec.replicas, 'spec', 'replicas')
  const selector = spec.selector as LabelSelector | undefined
  if (validateWorkloadSelector(errors, selector, 'deployment', 'spec.selector')) {
    validateSelectorFindsTemplate(errors, spec.selector, spec.template, 'spec.template')
  }
  validatePodTemplateSpec(errors, spec.template, 'spec.template', podValidationOptions(false, old?.template))
  validateRunsForEver(errors, spec.template.spec ?? { containers: [] }, 'ReplicaSet', 'spec.template')
  if (spec.strategy) validateStrategy(errors, spec.strategy)
  checkNonNegative(errors, spec.minReadySeconds, 'spec', 'minReadySeconds')
  checkNonNegative(errors, spec.revisionHistoryLimit, 'spec', 'revisionHistoryLimit')
  const seconds = spec.progressDeadlineSeconds
  if (seconds === undefined) return
  checkNonNegative(errors, seconds, 'spec', 'progressDeadlineSeconds')
  if (seconds <= (spec.minReadySeconds ?? 0)) {
    errors.push(invalid('spec.progressDeadlineSeconds', seconds, 'must be greater than minReadySeconds'))
  }
}

function validateRolloutSteps({ metadata, spec }: StoredDeployment): FieldError[] {
  const text = metadata.annotations?.[rolloutStepsAnnotation]
  if (text === undefined) return []
  const path = `metadata.annotations[${rolloutStepsAnnotation}]`
  if (spec?.strategy?.type !== 'RollingUpdate') {
    return [forbidden(path, "may not be specified unless strategy `type` is 'RollingUpdate'")]
  }
  return parseRolloutSteps(text, path).errors
}

function validateStrategy(errors: FieldError[], strategy: DeploymentStrategy): void {
  const { type, rollingUpdate } = strategy
  const path = 'spec.strategy.rollingUpdate'
  if (type === 'Recreate') {
    if (rollingUpdate) errors.push(forbidden(path, "may not be specified when strategy `type` is 'Recreate'"))
    return
  }
  if (type !== 'RollingUpdate') {
    errors.push(notSupported('spec.strategy', strategy, ['Recreate', 'RollingUpdate']))
    return
  }
  if (!rollingUpdate) {
    errors.push(required(path, 'this should be defaulted and never be nil'))
    return
  }
  const { maxUnavailable, maxSurge } = rollingUpdate
  errors.push(
    ...validatePositiveIntOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...validatePositiveIntOrPercent(maxSurge, `${path}.maxSurge`),
  )
  if (amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0) {
    errors.push(invalid(`${path}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
  }
  errors.push(...isNotMoreThan100Percent(maxUnavailable, `${path}.maxUnavailable`))
}
