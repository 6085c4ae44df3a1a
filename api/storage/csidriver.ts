import type { CSIDriver, CSIDriverSpec, StorageV1TokenRequest } from '../generated/types.ts'
import { child, duplicate, type FieldError, index, invalid, notSupported } from '../machinery/field-errors.ts'
import { immutable, semanticEqual } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

export const csiDrivers = defineResource<Stored<CSIDriver>>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  namespaced: false,
  schema: builtinSchema('io.k8s.api.storage.v1.CSIDriver'),
  defaults: (driver) => {
    driver.spec ??= {}
    const { spec } = driver
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.storageCapacity ??= false
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
    spec.requiresRepublish ??= false
    spec.seLinuxMount ??= false
  },
  validate: ({ spec = {} }, old) => [
    ...validateSpec(spec),
    // Upstream reports the field under this name.
    ...(old ? immutable(spec.attachRequired, old.spec?.attachRequired, 'spec.attachedRequired') : []),
    ...(old ? immutable(spec.volumeLifecycleModes, old.spec?.volumeLifecycleModes, 'spec.volumeLifecycleModes') : []),
  ],
  warnings: tokenWarnings,
  strategy: {
    unconditionalUpdate: false,
    returnDeleted: true,
    prepareForCreate: (driver) => dropVolumeLimitScaling(driver, undefined),
    prepareForUpdate: (driver, old) => {
      dropVolumeLimitScaling(driver, old)
      // Created without a generation; the first change brings 1.
      if (!semanticEqual(driver.spec, old.spec)) driver.metadata.generation = (old.metadata.generation ?? 0) + 1
    },
  },
  columns: [
    nameColumn,
    {
      name: 'AttachRequired',
      type: 'boolean',
      description: 'Whether volumes must be attached before they are mounted.',
      value: ({ spec }) => spec?.attachRequired ?? true,
    },
    {
      name: 'PodInfoOnMount',
      type: 'boolean',
      description: 'Whether the driver is told of the pod at mount.',
      value: ({ spec }) => spec?.podInfoOnMount ?? false,
    },
    {
      name: 'StorageCapacity',
      type: 'boolean',
      description: 'Whether the scheduler regards the capacity the driver reports.',
      value: ({ spec }) => spec?.storageCapacity ?? false,
    },
    {
      name: 'TokenRequests',
      type: 'string',
      description: 'Audiences of the tokens the driver is given.',
      value: ({ spec }) => spec?.tokenRequests?.map(({ audience }) => audience).join(',') ?? '<unset>',
    },
    {
      name: 'RequiresRepublish',
      type: 'boolean',
      description: 'Whether volumes are published again and again.',
      value: ({ spec }) => spec?.requiresRepublish ?? false,
    },
    {
      name: 'Modes',
      type: 'string',
      description: 'Kinds of volumes the driver can make.',
      value: ({ spec }) => spec?.volumeLifecycleModes?.join(',') || '<none>',
    },
    ageColumn,
  ],
})

/** An alpha field, off in upstream by default. */
function dropVolumeLimitScaling({ spec }: Stored<CSIDriver>, old: Stored<CSIDriver> | undefined): void {
  if (old?.spec?.preventPodSchedulingIfMissing === undefined) delete spec?.preventPodSchedulingIfMissing
}

const groupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType']
const lifecycleModes = ['Persistent', 'Ephemeral']
const minUpdatePeriodSeconds = 10

function validateSpec(spec: CSIDriverSpec): FieldError[] {
  const errors: FieldError[] = []
  const { fsGroupPolicy, nodeAllocatableUpdatePeriodSeconds: period, serviceAccountTokenInSecrets } = spec
  if (fsGroupPolicy !== undefined && !groupPolicies.includes(fsGroupPolicy)) {
    errors.push(notSupported('spec.fsGroupPolicy', fsGroupPolicy, groupPolicies))
  }
  errors.push(...validateTokenRequests(spec.tokenRequests ?? [], 'spec.tokenRequests'))
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (!lifecycleModes.includes(mode)) errors.push(notSupported('spec.volumeLifecycleModes', mode, lifecycleModes))
  }
  if (period !== undefined && period < minUpdatePeriodSeconds) {
    errors.push(
      invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, 'must be greater than or equal to 10 seconds'),
    )
  }
  if (serviceAccountTokenInSecrets !== undefined && !spec.tokenRequests?.length) {
    errors.push(
      invalid(
        'spec.serviceAccountTokenInSecrets',
        serviceAccountTokenInSecrets,
        'serviceAccountTokenInSecrets is set but no tokenRequests are specified',
      ),
    )
  }
  return errors
}

const minTokenSeconds = 600
const maxTokenSeconds = 2 ** 32

function validateTokenRequests(requests: readonly StorageV1TokenRequest[], path: string): FieldError[] {
  const errors: FieldError[] = []
  const audiences = new Set<string>()
  for (const [i, { audience = '', expirationSeconds }] of requests.entries()) {
    const at = index(path, i)
    if (audiences.has(audience)) {
      errors.push(duplicate(child(at, 'audience'), audience))
      continue
    }
    audiences.add(audience)
    if (expirationSeconds === undefined) continue
    const field = child(at, 'expirationSeconds')
    if (expirationSeconds < minTokenSeconds) {
      errors.push(invalid(field, expirationSeconds, 'may not specify a duration less than 10 minutes'))
    }
    if (expirationSeconds > maxTokenSeconds) {
      errors.push(invalid(field, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'))
    }
  }
  return errors
}

function tokenWarnings({ spec }: Stored<CSIDriver>, old: Stored<CSIDriver> | undefined): string[] {
  const changed = !old || !semanticEqual(spec?.tokenRequests, old.spec?.tokenRequests)
  return changed && spec?.tokenRequests?.length && spec.serviceAccountTokenInSecrets === undefined
    ? [
        'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes',
      ]
    : []
}
