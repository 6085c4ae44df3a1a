import type {
  DeviceClaim,
  DeviceClaimConfiguration,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
  OpaqueDeviceConfiguration,
} from '../generated/types.ts'
import { expressionFault, tooComplex } from '../machinery/compilers.ts'
import {
  child,
  type FieldError,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../machinery/field-errors.ts'
import { isValidLabelValue } from '../machinery/names.ts'
import { validateDriverName } from '../storage/driver-name.ts'
import {
  each,
  eachUnique,
  validateEffect,
  validateFullyQualifiedName,
  validateLabelName,
  validateQualifiedKey,
  validateRawObject,
  validateSubdomain,
} from './checks.ts'

export const maxRequests = 32
const maxConstraints = 32
export const maxConfigs = 32
const maxSelectors = 32
const maxTolerations = 16
const maxAlternatives = 8
const maxExpressionBytes = 10 * 1024
const maxParametersBytes = 10 * 1024

/** Names of the requests of a claim, and `request/alternative` where a request has alternatives. */
export type RequestNames = ReadonlySet<string>

export const requestNames = (claim: DeviceClaim | undefined): RequestNames =>
  new Set(
    (claim?.requests ?? []).flatMap(({ name, firstAvailable = [] }) => [
      name,
      ...firstAvailable.map((alternative) => `${name}/${alternative.name}`),
    ]),
  )

/** Fills in how many devices a request asks for. */
export function defaultDeviceClaim(claim: DeviceClaim | undefined): void {
  for (const { exactly, firstAvailable = [] } of claim?.requests ?? []) {
    for (const request of exactly ? [exactly, ...firstAvailable] : firstAvailable) {
      request.allocationMode ||= 'ExactCount'
      if (request.allocationMode === 'ExactCount') request.count ||= 1
    }
  }
}

/** Faults of the devices a claim asks for. */
export function validateDeviceClaim(claim: DeviceClaim | undefined, path: string): FieldError[] {
  const names = requestNames(claim)
  return [
    ...eachUnique(claim?.requests, maxRequests, child(path, 'requests'), validateRequest, ({ name }) => name),
    ...each(claim?.constraints, maxConstraints, child(path, 'constraints'), (constraint, at) =>
      validateConstraint(constraint, at, names),
    ),
    ...each(claim?.config, maxConfigs, child(path, 'config'), (config, at) =>
      validateConfiguration(config, at, names, { stored: false }),
    ),
  ]
}

function validateRequest(request: DeviceRequest, path: string): FieldError[] {
  const errors = validateLabelName(request.name ?? '', child(path, 'name'))
  const { exactly, firstAvailable = [] } = request
  const oneOf = 'exactly one of `exactly` or `firstAvailable` is required'
  if (exactly && firstAvailable.length > 0) {
    errors.push(invalid(path, null, `${oneOf}, but multiple fields are set`))
  } else if (exactly) errors.push(...validateExactRequest(exactly, child(path, 'exactly')))
  else if (firstAvailable.length > 0) {
    errors.push(
      ...eachUnique(
        firstAvailable,
        maxAlternatives,
        child(path, 'firstAvailable'),
        (alternative, at) => [
          ...validateLabelName(alternative.name ?? '', child(at, 'name')),
          ...validateExactRequest(alternative, at),
        ],
        ({ name }) => name,
      ),
    )
  } else errors.push(required(path, oneOf))
  return errors
}

function validateExactRequest(request: ExactDeviceRequest | DeviceSubRequest, path: string): FieldError[] {
  const { deviceClassName = '', allocationMode = '', count = 0 } = request
  const classPath = child(path, 'deviceClassName')
  const errors = deviceClassName === '' ? [required(classPath)] : validateSubdomain(deviceClassName, classPath)
  errors.push(...validateSelectors(request.selectors, child(path, 'selectors'), { stored: false }))
  const countPath = child(path, 'count')
  if (allocationMode === 'All') {
    if (count !== 0) errors.push(invalid(countPath, count, "must not be specified when allocationMode is 'All'"))
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) errors.push(invalid(countPath, count, 'must be greater than zero'))
  } else errors.push(notSupported(child(path, 'allocationMode'), allocationMode, ['All', 'ExactCount']))
  errors.push(...each(request.tolerations, maxTolerations, child(path, 'tolerations'), validateToleration))
  return errors
}

/** Faults of selectors of devices; those already stored are not compiled again. */
export function validateSelectors(
  selectors: readonly DeviceSelector[] | undefined,
  path: string,
  { stored }: { stored: boolean },
): FieldError[] {
  return each(selectors, maxSelectors, path, ({ cel }, at) => {
    if (!cel) return [required(child(at, 'cel'))]
    const expressionPath = child(at, 'cel', 'expression')
    const expression = cel.expression ?? ''
    if (Buffer.byteLength(expression) > maxExpressionBytes) return [tooLong(expressionPath, maxExpressionBytes)]
    const fault = stored ? undefined : expressionFault(expression, 'deviceSelector')
    if (fault === tooComplex) return [forbidden(expressionPath, fault)]
    return fault ? [invalid(expressionPath, expression, fault)] : []
  })
}

function validateToleration(toleration: DeviceToleration, path: string): FieldError[] {
  const { key = '', operator = '', value = '', effect } = toleration
  const errors = key === '' ? [] : validateQualifiedKey(key, child(path, 'key'))
  const valuePath = child(path, 'value')
  if (operator === 'Exists') {
    if (value !== '') errors.push(invalid(valuePath, value, 'must be empty for operator `Exists`'))
  } else if (operator === 'Equal') {
    errors.push(...isValidLabelValue(value).map((fault) => invalid(valuePath, value, fault)))
  } else if (operator === '') errors.push(required(child(path, 'operator')))
  else errors.push(notSupported(child(path, 'operator'), operator, ['Equal', 'Exists']))
  return [...errors, ...validateEffect(effect, child(path, 'effect'))]
}

function validateConstraint(constraint: DeviceConstraint, path: string, names: RequestNames): FieldError[] {
  const { matchAttribute, distinctAttribute } = constraint
  const errors = validateReferences(constraint.requests, child(path, 'requests'), names)
  if (matchAttribute !== undefined) {
    errors.push(...validateFullyQualifiedName(matchAttribute, child(path, 'matchAttribute')))
  } else if (distinctAttribute !== undefined) {
    errors.push(...validateFullyQualifiedName(distinctAttribute, child(path, 'distinctAttribute')))
  } else {
    errors.push(
      required(path, 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'),
    )
  }
  return errors
}

/** Faults of a list of references to requests. */
export const validateReferences = (
  references: readonly string[] | undefined,
  path: string,
  names: RequestNames,
): FieldError[] =>
  eachUnique(
    references,
    maxRequests,
    path,
    (reference, at) => validateReference(reference, at, names),
    (reference) => reference,
  )

/** Faults of one reference: `request` or `request/alternative`. */
export function validateReference(reference: string, path: string, names: RequestNames): FieldError[] {
  const why = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
  const parts = reference.split('/')
  if (parts.length > 2) return [invalid(path, reference, why)]
  const errors = parts.flatMap((part) => validateLabelName(part, path))
  if (!names.has(reference)) errors.push(invalid(path, reference, why))
  return errors
}

/** Faults of what a driver is told about requests. */
export const validateConfiguration = (
  config: DeviceClaimConfiguration,
  path: string,
  names: RequestNames,
  options: { stored: boolean },
): FieldError[] => [
  ...validateReferences(config.requests, child(path, 'requests'), names),
  ...validateOpaque(config.opaque, child(path, 'opaque'), options),
]

/** Faults of parameters that only the driver understands. */
export function validateOpaque(
  opaque: OpaqueDeviceConfiguration | undefined,
  path: string,
  { stored }: { stored: boolean },
): FieldError[] {
  if (!opaque) return [required(path)]
  return [
    ...validateDriverName(opaque.driver, child(path, 'driver')),
    ...validateRawObject(opaque.parameters, child(path, 'parameters'), { stored, maxBytes: maxParametersBytes }),
  ]
}

/** Where a claim asks for access as administrator, which needs a label on the namespace; undefined: nowhere. */
export function adminAccessPath(claim: DeviceClaim | undefined): string | undefined {
  const i = (claim?.requests ?? []).findIndex(({ exactly }) => exactly?.adminAccess)
  return i < 0 ? undefined : child(index('spec.devices.requests', i), 'adminAccess')
}
