import { dnsLabel, dnsSubdomain } from '../core/field-formats.ts'
import type { IngressClass, IngressClassParametersReference, IngressClassSpec } from '../generated/types.ts'
import {
  child,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import { regexError } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validateTypedReference } from './references.ts'

export type IngressClassObject = Stored<IngressClass> & { spec: IngressClassSpec }

export const ingressClasses = defineResource<IngressClassObject>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  singular: 'ingressclass',
  namespaced: false,
  schema: builtinSchema('io.k8s.api.networking.v1.IngressClass'),
  defaults(ingressClass) {
    ingressClass.spec ??= {}
    if (ingressClass.spec.parameters) ingressClass.spec.parameters.scope ??= 'Cluster'
  },
  validate: ({ spec }, old) => [
    ...(old ? immutable(spec.controller, old.spec.controller, 'spec.controller') : []),
    ...validateController(spec.controller ?? ''),
    ...(spec.parameters ? validateParameters(spec.parameters) : []),
  ],
  strategy: { generation: 'spec' },
  columns: [
    {
      ...nameColumn,
      value: ({ metadata }) =>
        `${metadata.name ?? ''}${metadata.annotations?.[defaultAnnotation] === 'true' ? ' (default)' : ''}`,
    },
    {
      name: 'Controller',
      type: 'string',
      description: 'The controller that serves this class.',
      value: ({ spec }) => spec.controller ?? '',
    },
    {
      name: 'Parameters',
      type: 'string',
      description: 'An object with more of its configuration.',
      value({ spec: { parameters } }) {
        if (!parameters) return '<none>'
        const { apiGroup, kind, name } = parameters
        return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`
      },
    },
    ageColumn,
  ],
})

const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class'
const maxControllerBytes = 250
const scopes = ['Cluster', 'Namespace']
const pathPattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const wholePath = new RegExp(`^${pathPattern}$`)

function validateController(controller: string): FieldError[] {
  const path = 'spec.controller'
  if (controller === '') return [required(path)]
  const errors = Buffer.byteLength(controller) > maxControllerBytes ? [tooLong(path, maxControllerBytes)] : []
  const [, host, rest] = /^([^/]+)\/(.+)$/s.exec(controller) ?? []
  if (host === undefined || rest === undefined)
    return [...errors, invalid(path, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  errors.push(...dnsSubdomain(path, host))
  if (!wholePath.test(rest)) errors.push(invalid(path, rest, regexError('Invalid path', pathPattern)))
  return errors
}

function validateParameters(parameters: IngressClassParametersReference): FieldError[] {
  const path = 'spec.parameters'
  const { scope, namespace } = parameters
  const errors = validateTypedReference(parameters, path)
  if (scope === undefined) return [...errors, required(child(path, 'scope'))]
  if (!scopes.includes(scope)) return [...errors, notSupported(child(path, 'scope'), scope, scopes)]
  const namespacePath = child(path, 'namespace')
  if (scope === 'Cluster')
    return namespace === undefined
      ? errors
      : [...errors, forbidden(namespacePath, "`parameters.scope` is set to 'Cluster'")]
  return namespace === undefined
    ? [...errors, required(namespacePath, "`parameters.scope` is set to 'Namespace'")]
    : [...errors, ...dnsLabel(namespacePath, namespace)]
}
