import type { APIService } from '../generated/types.ts'
import { type FieldError, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { isDNS1035Label, isDNS1123Subdomain, isValidPortNum, pathSegmentName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { formatTime } from '../machinery/time.ts'
import { builtinSchema } from '../schema/builtin.ts'

type Service = Stored<APIService>

export const apiServices = defineResource<Service>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  categories: ['api-extensions'],
  namespaced: false,
  storagePrefix: '/apiregistration.k8s.io/apiservices',
  schema: builtinSchema('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService'),
  defaults: ({ spec }) => {
    if (spec?.service) spec.service.port ??= 443
  },
  validate,
  validateStatus,
  validateName: pathSegmentName,
  strategy: {
    status: true,
    unconditionalUpdate: false,
    prepareForCreate: (service, { nowMs }) => {
      if (!service.spec?.service) service.status = { conditions: [localCondition(nowMs)] }
    },
  },
  columns: [
    nameColumn,
    {
      name: 'Service',
      type: 'string',
      description: 'The reference to the service that hosts this API endpoint.',
      value: ({ spec }) => (spec?.service ? `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}` : 'Local'),
    },
    {
      name: 'Available',
      type: 'string',
      description: 'Whether this service is available.',
      value: ({ status }) => {
        const condition = status?.conditions?.find(({ type }) => type === 'Available')
        if (!condition) return 'Unknown'
        return condition.status !== 'True' && condition.reason
          ? `${condition.status} (${condition.reason})`
          : condition.status
      },
    },
    ageColumn,
  ],
})

/** The condition of a service this server serves itself. */
export const localCondition = (nowMs: number) => ({
  type: 'Available',
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
  lastTransitionTime: formatTime(nowMs),
})

const maxGroupPriority = 20_000
const maxVersionPriority = 1000

function validate({ metadata, spec }: Service): FieldError[] {
  const errors: FieldError[] = []
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0, service } = spec ?? {}
  const wanted = `${version}.${group}`
  if (metadata.name !== wanted) {
    errors.push(
      invalid(
        'metadata.name',
        metadata.name ?? '',
        `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`,
      ),
    )
  }
  if (group === '' && version !== 'v1') {
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
  }
  if (group !== '') errors.push(...isDNS1123Subdomain(group).map((message) => invalid('spec.group', group, message)))
  errors.push(...isDNS1035Label(version).map((message) => invalid('spec.version', version, message)))
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > maxGroupPriority) {
    errors.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'))
  }
  if (versionPriority <= 0 || versionPriority > maxVersionPriority) {
    errors.push(invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'))
  }
  const bundleBytes = Buffer.byteLength(spec?.caBundle ?? '', 'base64')
  const insecure = spec?.insecureSkipTLSVerify ?? false
  if (!service) {
    if (bundleBytes > 0) {
      errors.push(invalid('spec.caBundle', `${bundleBytes} bytes`, 'local APIServices may not have a caBundle'))
    }
    if (insecure) {
      errors.push(
        invalid('spec.insecureSkipTLSVerify', insecure, 'local APIServices may not have insecureSkipTLSVerify'),
      )
    }
    return errors
  }
  if (!service.namespace) errors.push(required('spec.service.namespace'))
  if (!service.name) errors.push(required('spec.service.name'))
  const portFaults = isValidPortNum(service.port ?? 0)
  if (portFaults.length > 0) {
    errors.push(invalid('spec.service.port', service.port, `port is not valid: ${portFaults.join(', ')}`))
  }
  if (insecure && bundleBytes > 0) {
    errors.push(invalid('spec.insecureSkipTLSVerify', insecure, 'may not be true if caBundle is present'))
  }
  return errors
}

const statuses = ['True', 'False', 'Unknown']

function validateStatus({ status }: Service): FieldError[] {
  return (status?.conditions ?? []).flatMap((condition, i) =>
    statuses.includes(condition.status)
      ? []
      : [notSupported(`${index('status.conditions', i)}.status`, condition.status, statuses)],
  )
}
