import { checkLabelName, checkNonNegative } from '../core/pod-spec/checks.ts'
import { validateClaimSpec } from '../core/pod-spec/claim-template.ts'
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
import { claimSpecWarnings, podTemplateWarnings } from '../core/pod-spec/warnings.ts'
import { validateAvailableAreReady, validateCollisionCount, validateReplicaCounts } from '../core/replica-counts.ts'
import type {
  LabelSelector,
  PodTemplateSpec,
  StatefulSet,
  StatefulSetSpec,
  StatefulSetUpdateStrategy,
  Volume,
} from '../generated/types.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import { isNotMoreThan100Percent, validatePositiveIntOrPercent } from '../machinery/int-or-string.ts'
import { nameIsDNSLabel } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { amountOf } from './rolling-update.ts'

type StoredStatefulSet = Stored<StatefulSet>

export const statefulSets = defineResource<StoredStatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.apps.v1.StatefulSet'),
  defaults: (set) => {
    const spec = specOf(set)
    set.spec = spec
    defaultSpec(spec)
  },
  validate: (set, old) => {
    const errors: FieldError[] = []
    const spec = specOf(set)
    if (!old) {
      validateSpec(errors, spec, undefined, true)
      return errors
    }
    // A set that was stored with a template that today's rules refuse can still be scaled.
    const oldFaults: FieldError[] = []
    validateSpec(oldFaults, specOf(old), old.spec, true)
    validateSpec(errors, spec, old.spec, oldFaults.length === 0)
    if (!semanticEqual(fixedPart(spec), fixedPart(specOf(old)))) errors.push(forbidden('spec', onlyThese))
    return errors
  },
  validateStatus: ({ status }, old) => {
    const errors: FieldError[] = []
    validateReplicaCounts(errors, status, 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas')
    validateAvailableAreReady(errors, status, 'status.readyReplicas')
    validateCollisionCount(errors, status?.collisionCount, old?.status?.collisionCount)
    return errors
  },
  validateName: nameIsDNSLabel,
  warnings,
  strategy: {
    status: true,
    generation: 'spec',
    prepareForCreate: prepare,
    prepareForUpdate: prepare,
  },
  columns: [
    nameColumn,
    {
      name: 'Ready',
      type: 'string',
      description: 'Number of the pod with ready state',
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    },
    ageColumn,
    ...templateColumns<StoredStatefulSet>(({ spec }) => spec?.template),
  ],
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
})

const onlyThese =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

/** Decoded objects may lack what the types say they have. */
const specOf = ({ spec }: StoredStatefulSet): StatefulSetSpec => spec ?? ({} as StatefulSetSpec)

const fixedPart = ({ selector, serviceName, podManagementPolicy, volumeClaimTemplates }: StatefulSetSpec) => ({
  selector,
  serviceName: serviceName ?? '',
  podManagementPolicy,
  volumeClaimTemplates,
})

function defaultSpec(spec: StatefulSetSpec): void {
  spec.template ??= {}
  defaultPodTemplate(spec.template)
  spec.podManagementPolicy ||= 'OrderedReady'
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  spec.updateStrategy ??= {}
  if (!spec.updateStrategy.type) {
    spec.updateStrategy.type = 'RollingUpdate'
    spec.updateStrategy.rollingUpdate ??= {}
  }
  if (spec.updateStrategy.type === 'RollingUpdate' && spec.updateStrategy.rollingUpdate) {
    spec.updateStrategy.rollingUpdate.partition ??= 0
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {}
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain'
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain'
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion = 'v1'
    claim.kind = 'PersistentVolumeClaim'
    claim.metadata ??= {}
    claim.spec ??= {}
    claim.spec.volumeMode ??= 'Filesystem'
    claim.status ??= {}
    claim.status.phase ||= 'Pending'
  }
}

function prepare({ spec }: StoredStatefulSet): void {
  dropDisabledFields(spec?.template?.spec)
  // Behind a gate that is off by default upstream.
  const rollingUpdate = spec?.updateStrategy?.rollingUpdate
  if (rollingUpdate?.maxUnavailable !== undefined) delete rollingUpdate.maxUnavailable
}

/** `checkTemplate`: the pods' template is to be checked as well. */
function validateSpec(
  errors: FieldError[],
  spec: StatefulSetSpec,
  old: StatefulSetSpec | undefined,
  checkTemplate: boolean,
): void {
  const policy = spec.podManagementPolicy
  if (!policy) errors.push(required('spec.podManagementPolicy'))
  else if (policy !== 'OrderedReady' && policy !== 'Parallel') {
    errors.push(invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"))
  }
  validateUpdateStrategy(errors, spec.updateStrategy ?? {})
  for (const when of ['whenDeleted', 'whenScaled'] as const) {
    const retention = spec.persistentVolumeClaimRetentionPolicy?.[when] ?? ''
    if (spec.persistentVolumeClaimRetentionPolicy && retention !== 'Retain' && retention !== 'Delete') {
      const path = `spec.persistentVolumeClaimRetentionPolicy.${when}`
      errors.push(notSupported(path, retention, ['Retain', 'Delete']))
    }
  }
  // Claims and the service cannot change any more: what was stored is accepted.
  if (!old) {
    for (const [i, claim] of (spec.volumeClaimTemplates ?? []).entries()) {
      validateClaimSpec(errors, claim.spec ?? {}, `spec.volumeClaimTemplates[${i}].spec`)
    }
    if (spec.serviceName) checkLabelName(errors, spec.serviceName, 'spec.serviceName')
  }
  checkNonNegative(errors, spec.replicas, 'spec', 'replicas')
  checkNonNegative(errors, spec.minReadySeconds, 'spec', 'minReadySeconds')
  checkNonNegative(errors, spec.ordinals?.start, 'spec.ordinals', 'start')
  const selector = spec.selector as LabelSelector | undefined
  if (validateWorkloadSelector(errors, selector, 'statefulset', 'spec.selector')) {
    validateSelectorFindsTemplate(errors, spec.selector, spec.template, 'spec.template')
  }
  if (checkTemplate) {
    const options = podValidationOptions(false, old?.template)
    validatePodTemplateSpec(errors, templateAsRun(spec), 'spec.template', options)
  }
  validateRunsForEver(errors, spec.template.spec ?? { containers: [] }, 'StatefulSet', 'spec.template')
}

/** The template as the controller makes pods of it: names are its own, and each claim is a volume. */
function templateAsRun({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  const podSpec = template.spec
  if (!podSpec || (!podSpec.subdomain && !podSpec.hostname && volumeClaimTemplates.length === 0)) return template
  const { subdomain: _s, hostname: _h, volumes = [], ...rest } = podSpec
  const claimed = new Map<string, Volume>()
  for (const { metadata } of volumeClaimTemplates) {
    const name = metadata?.name ?? ''
    claimed.set(name, { name, persistentVolumeClaim: { claimName: name } })
  }
  const own = volumes.filter(({ name }) => !claimed.has(name))
  return { ...template, spec: { ...rest, volumes: [...claimed.values(), ...own] } }
}

function validateUpdateStrategy(errors: FieldError[], strategy: StatefulSetUpdateStrategy): void {
  const { type, rollingUpdate } = strategy
  const path = 'spec.updateStrategy.rollingUpdate'
  if (!type) errors.push(required('spec.updateStrategy'))
  else if (type === 'OnDelete') {
    if (rollingUpdate) errors.push(invalid(path, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"))
  } else if (type !== 'RollingUpdate') {
    errors.push(invalid('spec.updateStrategy', strategy, "must be 'RollingUpdate' or 'OnDelete'"))
  } else if (rollingUpdate) {
    checkNonNegative(errors, rollingUpdate.partition, path, 'partition')
    const { maxUnavailable } = rollingUpdate
    if (maxUnavailable === undefined) return
    errors.push(...validatePositiveIntOrPercent(maxUnavailable, `${path}.maxUnavailable`))
    if (amountOf(maxUnavailable) === 0) errors.push(invalid(`${path}.maxUnavailable`, maxUnavailable, 'cannot be 0'))
    errors.push(...isNotMoreThan100Percent(maxUnavailable, `${path}.maxUnavailable`))
  }
}

function warnings(set: StoredStatefulSet, old: StoredStatefulSet | undefined): string[] {
  const found: string[] = []
  const { spec } = set
  if (!old || set.metadata.generation !== old.metadata.generation) {
    found.push(...podTemplateWarnings(spec?.template, 'spec.template'))
  }
  for (const [i, claim] of (spec?.volumeClaimTemplates ?? []).entries()) {
    // Upstream adds the field's Go name on updates.
    found.push(...claimSpecWarnings(claim.spec?.resources, `spec.volumeClaimTemplates[${i}]${old ? '.Spec' : ''}`))
  }
  if ((spec?.revisionHistoryLimit ?? 0) < 0) {
    found.push(
      'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
    )
  }
  return found
}
