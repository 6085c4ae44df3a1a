import type { IntOrString } from '../generated/types.ts'
import { type FieldError, invalid } from '../machinery/field-errors.ts'
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidPortName,
  isValidPortNum,
} from '../machinery/names.ts'

/** The rules of names.ts applied to one field each. */
const format =
  <V>(check: (value: V) => string[]) =>
  (path: string, value: V): FieldError[] =>
    check(value).map((fault) => invalid(path, value, fault))

export const dnsLabel = format(isDNS1123Label)
export const dnsSubdomain = format(isDNS1123Subdomain)
export const qualifiedName = format(isQualifiedName)
export const portNumber = format(isValidPortNum)
export const portName = format(isValidPortName)

export const portNumberOrName = (path: string, value: IntOrString): FieldError[] =>
  typeof value === 'number' ? portNumber(path, value) : portName(path, value)

export const portProtocols = ['SCTP', 'TCP', 'UDP']
