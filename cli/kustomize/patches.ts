import jsonPatch from 'fast-json-patch'
import { StatusError } from '../../api/machinery/errors.ts'
import { parseYaml } from '../../api/machinery/json.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { strategicMergePatch } from '../../api/patch/strategic-merge.ts'
import { schemaOf } from '../apply/schema-of.ts'
import { CliError } from '../errors.ts'
import { type ManifestObject, parseManifest } from '../manifests.ts'
import { merged } from '../merge-patch.ts'
import type { Kustomization, Patch, ReadFile } from './kustomization.ts'
import { described, identityOf, known, type Resource, remember } from './resource.ts'
import { selected } from './selection.ts'

interface Place {
  directory: string
  read: ReadFile
}

type Made = ManifestObject['object']

/** Changes objects by the patches of `patchesStrategicMerge` and `patches`. */
export function applyPatches(resources: Resource[], kustomization: Kustomization, place: Place): void {
  const { patchesStrategicMerge = [], patches = [] } = kustomization
  for (const given of patchesStrategicMerge) {
    // A file, or the patch itself.
    const isText = given.includes('\n')
    const text = isText ? given : place.read(given, place.directory).toString()
    for (const { object } of parseManifest(text, isText ? '[inline patch]' : given)) mergeInto(resources, object, {})
  }
  for (const patch of patches) applyOne(resources, patch, place)
}

/** Changes objects by the patches of `patchesJson6902`, which come after labels. */
export function applyJsonPatches(resources: Resource[], { patchesJson6902 = [] }: Kustomization, place: Place): void {
  for (const patch of patchesJson6902) applyOne(resources, patch, place)
}

function applyOne(resources: Resource[], given: Patch, place: Place): void {
  const { patch = '', path = '', target } = given
  if (patch === '' && path === '') throw new CliError('must specify one of patch and path in each of the patches')
  if (patch !== '' && path !== '') throw new CliError("patch and path can't be set at the same time")
  const source = patch === '' ? path : '[inline patch]'
  const text = patch === '' ? place.read(path, place.directory).toString() : patch
  const operations = operationsOf(text, source)
  if (operations) {
    if (!target) throw new CliError(`must specify a target for JSON patch ${source}`)
    for (const resource of selected(resources, target)) {
      remember(resource)
      resource.object = changed(resource, operations, source)
    }
    return
  }
  const objects = parseManifest(text, source).map(({ object }) => object)
  if (target && objects.length > 1)
    throw new CliError(
      `Multiple Strategic-Merge Patches in one \`patches\` entry is not allowed to set \`patches.target\` field: ${source}`,
    )
  for (const object of objects) mergeInto(resources, object, given)
}

/** The operations of a JSON patch; undefined for what is an object. */
function operationsOf(text: string, source: string): jsonPatch.Operation[] | undefined {
  try {
    const { value } = parseYaml(text.trim().startsWith('---') ? text.replace(/^\s*---.*\n/, '') : text)
    return Array.isArray(value) ? (value as jsonPatch.Operation[]) : undefined
  } catch {
    // Several documents, or none that is right: the other reader says which.
    if (/^\s*-\s/.test(text)) throw new CliError(`unable to parse SM or JSON patch from ${source}`)
    return undefined
  }
}

function changed({ object }: Resource, operations: jsonPatch.Operation[], source: string): Made {
  try {
    return jsonPatch.applyPatch(jsonPatch.deepClone(object), operations, true).newDocument as Made
  } catch (error) {
    const [why = ''] = (error as Error).message.split('\n')
    throw new CliError(`the patch ${source} does not fit ${described(identityOf(object))}: ${why}`)
  }
}

function mergeInto(resources: Resource[], patch: Made, { target, options = {} }: Patch): void {
  const identity = identityOf(patch)
  const meant = target ? selected(resources, target) : known(resources, identity)
  if (!target && meant.length === 0)
    throw new CliError(
      `no resource matches strategic merge patch "${described(identity)}": no matches for Id ${described(identity)}; failed to find unique target for patch`,
    )
  if (!target && meant.length > 1)
    throw new CliError(`multiple matches for Id ${described(identity)}; failed to find unique target for patch`)
  for (const resource of meant) {
    if ((patch as Record<string, unknown>).$patch === 'delete') {
      resources.splice(resources.indexOf(resource), 1)
      continue
    }
    const { object } = resource
    remember(resource)
    const now = merge(object, patch)
    const { name, namespace: _, ...metadata } = now.metadata
    resource.object = {
      ...now,
      kind: options.allowKindChange ? now.kind : object.kind,
      metadata: {
        ...metadata,
        name: (options.allowNameChange ? name : object.metadata.name) ?? '',
        ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
      },
    }
  }
}

/** Lists of kinds that are built in are merged by their keys, others replaced. */
function merge(object: Made, patch: Made): Made {
  const schema = schemaOf(identityOf(object))
  if (!schema) return merged(object, patch) as Made
  try {
    const now = strategicMergePatch({ ...object }, patch, schema)
    return patchedFirst(now, patch, schema) as Made
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    throw new CliError(`the patch of ${described(identityOf(object))} does not fit: ${error.message}`)
  }
}

type Values = Record<string, unknown>

/** The server keeps its order where a patch says nothing of it; here, what a patch names comes first. */
function patchedFirst(value: unknown, patch: unknown, schema: Schema | undefined): unknown {
  if (typeof value !== 'object' || value === null || typeof patch !== 'object' || patch === null) return value
  const key = schema?.patchMergeKey
  if (Array.isArray(value) && Array.isArray(patch)) {
    if (!key) return value
    const changes = new Map(patch.map((item: Values) => [item[key], item]))
    const named = [...changes.keys()].flatMap((id) => value.filter((item: Values) => item[key] === id))
    const others = value.filter((item: Values) => !changes.has(item[key]))
    return [...named.map((item: Values) => patchedFirst(item, changes.get(item[key]), schema.items)), ...others]
  }
  if (Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      patchedFirst(field, (patch as Values)[name], schema?.properties?.get(name) ?? schema?.values),
    ]),
  )
}
