import {
  badRequestError,
  conflictError,
  invalidError,
  methodNotSupportedError,
  modifiedMessage,
  unsupportedMediaTypeError,
} from '../../api/machinery/errors.ts'
import { forbidden, invalid, required } from '../../api/machinery/field-errors.ts'
import { duplicateFields, hasDuplicates, parseJson, parseYaml } from '../../api/machinery/json.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { printGo } from '../../api/patch/go-format.ts'
import { attributeToApply, serverSideApply } from '../patch/apply.ts'
import { applyPatch, type PatchType } from '../patch/patch.ts'
import { resetFieldsOf } from '../patch/reset-fields.ts'
import type { WriteOptions, WriteRules } from '../registry/write.ts'
import { readBody } from './body.ts'
import { type Endpoint, type Scope, writeOptions } from './context.ts'
import { fieldValidationOf, fromWire, unknownOnly, warnOf, yamlFault } from './decode-body.ts'
import { isDryRun } from './parameters.ts'
import { isTrue } from './request-info.ts'
import { sendWritten } from './send.ts'

const patchTypes: Record<string, PatchType> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
}
const applyType = 'application/apply-patch+yaml'

/** Every kind of patch, of an object or of its status. Throws 400, 409, 415 and 422 as upstream. */
export async function handlePatch(scope: Scope, subresource = '', rules?: WriteRules): Promise<void> {
  if (isApply(scope)) return handleApply(scope, subresource, rules)
  await patchWith(scope, subresource, rules, parsePatch(scope, await readBody(scope.req)))
}

export interface ParsedPatch {
  apply: (current: AnyObject, schema: Schema) => AnyObject
  /** Keys that the patch names twice. */
  duplicates: string[]
  /** What an error shows of a patch that came to `patched`. */
  print: (patched: AnyObject) => string
}

/** The patch in a body. Throws 400, 415 and 422. */
export function parsePatch(scope: Scope, body: Buffer): ParsedPatch {
  const type = patchTypes[mediaTypeOf(scope)]
  const refusesStrategic = scope.endpoint.resource.refusesStrategicMerge === true
  if (!type || (type === 'strategic' && refusesStrategic)) {
    const accepted = Object.keys(patchTypes).filter((name) => !refusesStrategic || patchTypes[name] !== 'strategic')
    throw unsupportedMediaTypeError(
      `the body of the request was in an unknown format - accepted media types include: ${[...accepted, applyType].join(', ')}`,
    )
  }
  if (isTrue(scope.info.query.get('force'))) {
    throw invalidError({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      forbidden('force', 'may not be specified for non-apply patch'),
    ])
  }
  let patch: unknown
  const text = body.toString()
  try {
    patch = parseJson(text)
  } catch (error) {
    throw badRequestError(`error decoding patch: ${(error as Error).message}`)
  }
  return {
    apply: (current, schema) => applyPatch({ type, current, patch, schema }),
    duplicates: hasDuplicates(text, patch) ? duplicateFields(text) : [],
    print: (patched) => (type === 'strategic' ? printGo(patch) : JSON.stringify(patched)),
  }
}

/** The body is an applied configuration. */
export const isApply = (scope: Scope): boolean => mediaTypeOf(scope) === applyType

const mediaTypeOf = ({ req }: Scope): string =>
  (req.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''

/** Patches by any function from the current object, in the endpoint's version, to the new one. */
async function patchWith(
  scope: Scope,
  subresource: string,
  rules: WriteRules | undefined,
  patch: ParsedPatch,
): Promise<void> {
  const { endpoint, info } = scope
  const mode = fieldValidationOf(info.query)
  const options = writeOptions(scope, isDryRun(info.query))
  if (subresource !== '') options.subresource = subresource
  if (rules) options.rules = rules
  let warned = false
  const warn = (message: string) => {
    if (!warned) scope.warn(message)
  }
  const written = await endpoint.registry.update(
    info.namespace,
    info.name,
    async (current) => {
      const visible = await visibleIn(endpoint, current as AnyObject)
      const patched = patch.apply(visible, endpoint.schema)
      const next = fromWire(endpoint, patched, {
        mode,
        faults: (unknown) => [...patch.duplicates, ...unknownOnly(unknown)],
        warn,
        refuse: (why) => invalidError({ group: '', kind: '' }, '', [invalid('patch', patch.print(patched), why)]),
      })
      warned = true
      keepsUid(endpoint, current as AnyObject, next)
      return next
    },
    options,
  )
  await sendWritten(scope, 200, written)
}

/**
 * A patch that was meant for a former object of the name is invalid, upstream: controllers let go of an object when they
 * are told so. One made from another version is a conflict first.
 */
function keepsUid({ resource, registry }: Endpoint, current: AnyObject, next: AnyObject): void {
  const { name = '', uid, resourceVersion } = next.metadata
  if (!uid || uid === current.metadata.uid) return
  if (resourceVersion && resourceVersion !== '0' && resourceVersion !== current.metadata.resourceVersion) {
    throw conflictError(registry.of, name, modifiedMessage)
  }
  throw invalidError(resource, name, [invalid('metadata.uid', uid, 'field is immutable')])
}

/** An object as the endpoint's clients see it. */
async function visibleIn({ resource, served, apiVersion }: Endpoint, object: AnyObject): Promise<AnyObject> {
  if (resource.convert) return ((await resource.convert([object], apiVersion)) as [AnyObject])[0]
  return served ? served.fromStorage(object) : object
}

/** Server-side apply: creates what is not there, merges by ownership what is. */
async function handleApply(scope: Scope, subresource: string, rules: WriteRules | undefined): Promise<void> {
  const { endpoint, info, req } = scope
  const manager = info.query.get('fieldManager') ?? ''
  const force = isTrue(info.query.get('force'))
  if (manager === '') {
    throw invalidError({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      required('fieldManager', 'is required for apply patch'),
    ])
  }
  if (!endpoint.resource.verbs.includes('patch')) throw methodNotSupportedError(endpoint.registry.of, 'patch')
  const text = (await readBody(req)).toString()
  const mode = fieldValidationOf(info.query)
  const config = (): AnyObject => parseApplied(text, scope, mode)
  config()
  const options = writeOptions(scope, isDryRun(info.query))
  if (subresource !== '') options.subresource = subresource
  if (rules) options.rules = rules
  options.fieldManager = manager
  const merge = applyMerge(endpoint, config, options, force)
  const written = await endpoint.registry.update(info.namespace, info.name, merge, options, subresource === '')
  await sendWritten(scope, written.outcome === 'created' ? 201 : 200, written)
}

/**
 * What an applied configuration makes of an object, or of none. Ownership is decided by the merge; what admission and
 * strategy change afterwards goes to the same manager, through `options.track`.
 */
export function applyMerge(
  endpoint: Endpoint,
  config: () => AnyObject,
  options: WriteOptions,
  force: boolean,
): (current: AnyObject | undefined) => Promise<AnyObject> {
  const common = {
    schema: endpoint.schema,
    manager: options.fieldManager,
    apiVersion: endpoint.apiVersion,
    subresource: options.subresource ?? '',
    nowMs: options.nowMs,
    resetFields: resetFieldsOf(endpoint.resource, options.subresource ?? ''),
  }
  return async (current) => {
    const live = current && (await visibleIn(endpoint, current))
    const before = live ? { live } : {}
    const merged = serverSideApply({ ...before, applied: config(), force, ...common })
    const managed = merged.metadata.managedFields
    const next = fromWire(endpoint, merged, { mode: 'Ignore' })
    if (current) keepsUid(endpoint, current, next)
    if (managed) next.metadata.managedFields = managed
    const applied = structuredClone(next)
    options.track = (final) => attributeToApply({ ...before, applied, final, ...common })
    return next
  }
}

/** The body of an apply patch, which is YAML whatever it is of. Throws 400. */
export function parseApplyBody(text: string): ReturnType<typeof parseYaml> {
  try {
    return parseYaml(text)
  } catch (error) {
    throw badRequestError(`error decoding YAML: ${(error as Error).message}`)
  }
}

function parseApplied(text: string, scope: Scope, mode: ReturnType<typeof fieldValidationOf>): AnyObject {
  const { endpoint, info, warn } = scope
  const { value, duplicates } = parseApplyBody(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequestError('error decoding YAML: the body must be an object')
  }
  const applied = value as AnyObject
  if (applied.apiVersion !== endpoint.apiVersion) {
    throw badRequestError(
      `Incorrect version specified in apply patch. Specified patch version: ${applied.apiVersion ?? ''}, expected: ${endpoint.apiVersion}`,
    )
  }
  if (applied.kind !== endpoint.resource.kind) {
    throw badRequestError(
      `Incorrect kind specified in apply patch. Specified patch kind: ${applied.kind ?? ''}, expected: ${endpoint.resource.kind}`,
    )
  }
  applied.metadata ??= {}
  if (applied.metadata.name !== undefined && applied.metadata.name !== info.name) {
    throw badRequestError(
      `the name of the object (${applied.metadata.name}) does not match the name on the URL (${info.name})`,
    )
  }
  if (mode === 'Ignore') return applied
  const faults = yamlFault(duplicates)
  if (faults.length > 0 && mode === 'Strict') {
    throw badRequestError(`error strict decoding YAML: error converting YAML to JSON: ${faults.join(', ')}`)
  }
  warnOf(faults, warn)
  // Of a custom resource the merge itself refuses what the schema does not declare.
  if (!endpoint.schema.decode) fromWire(endpoint, structuredClone(applied), { mode, warn })
  return applied
}
