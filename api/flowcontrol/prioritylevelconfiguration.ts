import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from '../generated/types.ts'
import { child, type FieldError, forbidden, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { type Column, defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { mandatoryPriorityLevels } from './bootstrap.ts'
import { validateConditionTypes } from './flow-rules.ts'

type Level = Stored<PriorityLevelConfiguration>

const queuingColumn = (name: string, description: string, field: keyof QueuingConfiguration): Column<Level> => ({
  name,
  type: 'string',
  description,
  value: ({ spec }) => spec?.limited?.limitResponse?.queuing?.[field] ?? '<none>',
})

export const priorityLevelConfigurations = defineResource<Level>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  namespaced: false,
  schema: builtinSchema('io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration'),
  defaults,
  validate: (level) => [
    ...validateNoLegacyAnnotation(level),
    ...validateSpec(level.spec ?? { type: '' }, level.metadata.name ?? ''),
    ...validateMandatory(level),
    ...validateStatus(level),
  ],
  validateStatus,
  strategy: { status: true, generation: 'spec' },
  columns: [
    nameColumn,
    {
      name: 'Type',
      type: 'string',
      description: 'Whether requests of this level are limited.',
      value: ({ spec }) => spec?.type ?? '',
    },
    {
      name: 'NominalConcurrencyShares',
      type: 'string',
      description: 'The share of all concurrency this level has.',
      value: ({ spec }) => (spec?.limited ? (spec.limited.nominalConcurrencyShares ?? 0) : '<none>'),
    },
    queuingColumn('Queues', 'Number of queues.', 'queues'),
    queuingColumn('HandSize', 'Number of queues a flow may be put in.', 'handSize'),
    queuingColumn('QueueLengthLimit', 'How many requests wait in a queue at most.', 'queueLengthLimit'),
    ageColumn,
  ],
})

function defaults({ spec }: Level): void {
  if (spec?.exempt) {
    spec.exempt.nominalConcurrencyShares ??= 0
    spec.exempt.lendablePercent ??= 0
  }
  if (!spec?.limited) return
  spec.limited.nominalConcurrencyShares ??= 30
  spec.limited.lendablePercent ??= 0
  const queuing = spec.limited.limitResponse?.queuing
  if (!queuing) return
  // Both zero and absent mean the default.
  queuing.handSize ||= 8
  queuing.queues ||= 64
  queuing.queueLengthLimit ||= 50
}

const preserveZeroAnnotation = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares'

const validateNoLegacyAnnotation = ({ metadata }: Level): FieldError[] =>
  metadata.annotations?.[preserveZeroAnnotation] === undefined
    ? []
    : [forbidden('metadata.annotations', `annotation '${preserveZeroAnnotation}' is forbidden`)]

function validateSpec({ type, limited, exempt }: PriorityLevelConfigurationSpec, name: string): FieldError[] {
  const errors: FieldError[] = []
  if ((name === 'exempt') !== (type === 'Exempt')) {
    errors.push(invalid('spec.type', type ?? '', "must be 'Exempt' if and only if `name` is 'exempt'"))
  }
  switch (type) {
    case 'Exempt':
      if (limited) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'))
      if (exempt) {
        errors.push(...validateShares(exempt, 'spec.exempt'))
        errors.push(...validatePercent(exempt.lendablePercent, 'spec.exempt.lendablePercent'))
      }
      break
    case 'Limited':
      if (exempt) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'))
      if (limited) errors.push(...validateLimited(limited, 'spec.limited'))
      else errors.push(required('spec.limited', 'must not be empty when type is Limited'))
      break
    default:
      errors.push(notSupported('spec.type', type ?? '', ['Exempt', 'Limited']))
  }
  return errors
}

function validateShares(
  { nominalConcurrencyShares = 0 }: ExemptPriorityLevelConfiguration | LimitedPriorityLevelConfiguration,
  path: string,
): FieldError[] {
  return nominalConcurrencyShares < 0
    ? [invalid(child(path, 'nominalConcurrencyShares'), nominalConcurrencyShares, 'must be a non-negative integer')]
    : []
}

function validatePercent(percent: number | undefined, path: string): FieldError[] {
  return percent !== undefined && (percent < 0 || percent > 100)
    ? [invalid(path, percent, 'must be between 0 and 100, inclusive')]
    : []
}

function validateLimited(limited: LimitedPriorityLevelConfiguration, path: string): FieldError[] {
  const errors = validateShares(limited, path)
  const { type = '', queuing } = limited.limitResponse ?? {}
  const responsePath = child(path, 'limitResponse')
  const queuingPath = child(responsePath, 'queuing')
  if (type === 'Reject') {
    if (queuing) {
      errors.push(forbidden(queuingPath, 'must be nil if limited.limitResponse.type is not Limited'))
    }
  } else if (type === 'Queue') {
    if (queuing) errors.push(...validateQueuing(queuing, queuingPath))
    else errors.push(required(queuingPath, 'must not be empty if limited.limitResponse.type is Limited'))
  } else errors.push(notSupported(child(responsePath, 'type'), type, ['Queue', 'Reject']))
  errors.push(...validatePercent(limited.lendablePercent, child(path, 'lendablePercent')))
  const { borrowingLimitPercent: borrowing } = limited
  if (borrowing !== undefined && borrowing < 0) {
    errors.push(
      invalid(child(path, 'borrowingLimitPercent'), borrowing, 'if specified, must be a non-negative integer'),
    )
  }
  return errors
}

const maxQueues = 10_000_000
/** A hash of this many bits deals a flow its hand of queues. */
const hashBits = 60

function validateQueuing(queuing: QueuingConfiguration, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { queueLengthLimit = 0, queues = 0, handSize = 0 } = queuing
  if (queueLengthLimit <= 0) {
    errors.push(invalid(child(path, 'queueLengthLimit'), queueLengthLimit, 'must be positive'))
  }
  if (queues <= 0) errors.push(invalid(child(path, 'queues'), queues, 'must be positive'))
  else if (queues > maxQueues) {
    errors.push(invalid(child(path, 'queues'), queues, `must not be greater than ${maxQueues}`))
  }
  const handPath = child(path, 'handSize')
  if (handSize <= 0) errors.push(invalid(handPath, handSize, 'must be positive'))
  else if (handSize > queues) {
    errors.push(invalid(handPath, handSize, `should not be greater than queues (${queues})`))
  } else if (Math.ceil(Math.log2(queues) * handSize) > hashBits) {
    errors.push(
      invalid(
        handPath,
        handSize,
        `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBits}`,
      ),
    )
  }
  return errors
}

function validateMandatory({ metadata: { name = '' }, spec }: Level): FieldError[] {
  const mandatory = mandatoryPriorityLevels.find(({ metadata }) => metadata.name === name)
  if (!mandatory) return []
  const except = name === 'exempt'
  const compared = except ? { ...spec, exempt: mandatory.spec?.exempt } : spec
  if (semanticEqual(compared, mandatory.spec)) return []
  const what = except ? " except the 'spec.exempt' field" : ''
  return [invalid('spec', spec, `spec of '${name}'${what} must equal the fixed value`)]
}

function validateStatus({ status }: Level): FieldError[] {
  return validateConditionTypes(status?.conditions, 'status.conditions')
}
