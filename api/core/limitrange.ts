import type { LimitRange, LimitRangeItem, LimitRangeSpec } from '../generated/types.ts'
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  key,
  required,
} from '../machinery/field-errors.ts'
import { isQualifiedName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { compareQuantity, quantityMilli, quantityValue } from '../machinery/quantity.ts'
import { defineResource } from '../machinery/resource.ts'
import { plainColumns } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { containerResourceNameFaults, isOvercommitAllowed, resourceNameFaults } from './resource-names.ts'

export type LimitRangeObject = Stored<LimitRange> & { spec: LimitRangeSpec }

export const limitRanges = defineResource<LimitRangeObject>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.core.v1.LimitRange'),
  defaults(range) {
    range.spec ??= { limits: [] }
    for (const limit of range.spec.limits ?? []) if (limit.type === 'Container') fillIn(limit)
  },
  validate({ spec }) {
    const limits = spec.limits ?? []
    return limits.flatMap((limit, i) => {
      const path = index('spec.limits', i)
      const doubled = limits.findIndex(({ type }) => type === limit.type) < i
      return [
        ...typeFaults(child(path, 'type'), limit.type),
        ...(doubled ? [duplicate(child(path, 'type'), limit.type)] : []),
        ...validateNames(limit, path),
        ...validateAmounts(limit, path),
      ]
    })
  },
  strategy: { createOnUpdate: true },
  columns: plainColumns,
})

const standardTypes = ['Pod', 'Container', 'PersistentVolumeClaim']
const lists = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const
const maxMilliValue = Number.MAX_SAFE_INTEGER / 1000

/** A limit defaults to the maximum; a request to the limit, or else to the minimum. */
function fillIn(limit: LimitRangeItem): void {
  const limits = { ...limit.max, ...limit.default }
  const requests = { ...limit.min, ...limits, ...limit.defaultRequest }
  if (Object.keys(limits).length > 0) limit.default = limits
  if (Object.keys(requests).length > 0) limit.defaultRequest = requests
}

function typeFaults(path: string, type: string): FieldError[] {
  const errors = isQualifiedName(type).map((fault) => invalid(path, type, fault))
  if (errors.length > 0 || type.includes('/') || standardTypes.includes(type)) return errors
  return [invalid(path, type, 'must be a standard limit type or fully qualified')]
}

function validateNames(limit: LimitRangeItem, path: string): FieldError[] {
  const nameFaults =
    limit.type === 'Pod' || limit.type === 'Container' ? containerResourceNameFaults : resourceNameFaults
  const errors = lists.flatMap((list) => {
    const names = Object.keys(limit[list] ?? {})
    if (limit.type === 'Pod' && (list === 'default' || list === 'defaultRequest'))
      return names.length > 0 ? [forbidden(child(path, list), "may not be specified when `type` is 'Pod'")] : []
    return names.flatMap((name) => nameFaults(key(child(path, list), name), name))
  })
  if (limit.type === 'PersistentVolumeClaim' && !limit.min?.storage && !limit.max?.storage) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided'
    errors.push(required(child(path, 'limits'), detail))
  }
  return errors
}

function validateAmounts(limit: LimitRangeItem, path: string): FieldError[] {
  const names = new Set(lists.flatMap((list) => Object.keys(limit[list] ?? {})))
  return [...names].flatMap((name) => validateResource(limit, name, path))
}

function validateResource(limit: LimitRangeItem, name: string, path: string): FieldError[] {
  const forPod = limit.type === 'Pod'
  const min = limit.min?.[name]
  const max = limit.max?.[name]
  const limitDefault = forPod ? undefined : limit.default?.[name]
  const request = forPod ? undefined : limit.defaultRequest?.[name]
  const ratio = limit.maxLimitRequestRatio?.[name]
  const errors: FieldError[] = []
  const fault = (list: string, value: string | undefined, detail: string) =>
    errors.push(invalid(key(child(path, list), name), value, detail))

  if (exceeds(min, max)) fault('min', min, `min value ${min} is greater than max value ${max}`)
  if (exceeds(min, request))
    fault('defaultRequest', request, `min value ${min} is greater than default request value ${request}`)
  if (exceeds(request, max))
    fault('defaultRequest', request, `default request value ${request} is greater than max value ${max}`)
  if (exceeds(request, limitDefault))
    fault(
      'defaultRequest',
      request,
      `default request value ${request} is greater than default limit value ${limitDefault}`,
    )
  if (exceeds(min, limitDefault))
    fault('default', min, `min value ${min} is greater than default value ${limitDefault}`)
  if (exceeds(limitDefault, max))
    fault('default', max, `default value ${limitDefault} is greater than max value ${max}`)
  if (exceeds('1', ratio)) fault('maxLimitRequestRatio', ratio, `ratio ${ratio} is less than 1`)
  if (ratio !== undefined && min !== undefined && max !== undefined) {
    const largest = ratioLimit(ratio, min, max)
    if (largest.ratio > largest.limit)
      fault('maxLimitRequestRatio', ratio, `ratio ${ratio} is greater than max/min = ${largest.limit.toFixed(6)}`)
  }
  if (
    limitDefault !== undefined &&
    request !== undefined &&
    !isOvercommitAllowed(name) &&
    compareQuantity(limitDefault, request) !== 0
  )
    fault(
      'defaultRequest',
      request,
      `default value ${limitDefault} must equal to defaultRequest value ${request} in ${name}`,
    )
  return errors
}

const exceeds = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && compareQuantity(a, b) > 0

/** Amounts too large for thousandths are compared as whole numbers, rounded up. */
function ratioLimit(ratio: string, min: string, max: string): { ratio: number; limit: number } {
  const inMilli = [ratio, min, max].every((amount) => quantityValue(amount) < maxMilliValue)
  const measure = inMilli ? quantityMilli : quantityValue
  return { ratio: inMilli ? quantityMilli(ratio) / 1000 : quantityValue(ratio), limit: measure(max) / measure(min) }
}
