import { victimsAnnotation, victimsFault } from '../../api/gantry/victims.ts'
import type { Scale } from '../../api/generated/types.ts'
import { conflictError, invalidError, methodNotSupportedError, modifiedMessage } from '../../api/machinery/errors.ts'
import { invalid } from '../../api/machinery/field-errors.ts'
import { formatSelectorString } from '../../api/machinery/labels.ts'
import { type AnyObject, apiVersionOf, type Stored } from '../../api/machinery/object.ts'
import type { Resource, ScalePaths } from '../../api/machinery/resource.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { readBody } from '../handlers/body.ts'
import { fieldManagerOf, type Scope, writeOptions } from '../handlers/context.ts'
import { decodeAs, type Faults, fieldValidationOf, parseBody } from '../handlers/decode-body.ts'
import { inVersion } from '../handlers/in-version.ts'
import { isDryRun } from '../handlers/parameters.ts'
import { isApply, parseApplyBody, parsePatch } from '../handlers/patch.ts'
import { isTrue } from '../handlers/request-info.ts'
import { sendObject } from '../handlers/respond.ts'
import { serverSideApply } from '../patch/apply.ts'
import { keepTimesIfUnchanged, recordUpdate } from '../patch/managed-fields.ts'
import { parentManagedFields, scaleManagedFields } from '../patch/scale-ownership.ts'
import { checkName } from '../registry/object-rules.ts'

const scaleSchema = () => builtinSchema('io.k8s.api.autoscaling.v1.Scale')

/** Reads and sets the replica count of any kind that has one, in the form of an autoscaling/v1 Scale. */
export async function handleScale(scope: Scope): Promise<void> {
  const { endpoint, info, res, media } = scope
  const paths = endpoint.resource.scale as ScalePaths
  switch (info.verb) {
    case 'get': {
      const found = await endpoint.registry.get(info.namespace, info.name)
      const [shown] = await inVersion(endpoint, [found])
      sendObject(res, 200, toScale((shown ?? found).object, paths), media)
      return
    }
    case 'update':
    case 'patch': {
      const next = await scaleChange(scope)
      const replicasPath = (apiVersion: string) =>
        versionsOf(endpoint.resource).includes(apiVersion) ? paths.specReplicas.replace(/^\./, '') : undefined
      const written = await endpoint.registry.update(
        info.namespace,
        info.name,
        (current) => {
          const object = current as AnyObject
          const entries = object.metadata.managedFields
          const standing = toScale(object, paths)
          const owners = scaleManagedFields(entries, replicasPath)
          if (owners) standing.metadata.managedFields = owners
          const scale = next(standing)
          const changed = applyScale(scope, object, scale, paths)
          // Ownership of the one number follows from the scale to the object.
          const { apiVersion } = endpoint
          const after = parentManagedFields(entries, scale.metadata.managedFields, apiVersion, replicasPath)
          if (after) changed.metadata.managedFields = after
          else delete changed.metadata.managedFields
          return changed
        },
        {
          ...writeOptions(scope, isDryRun(info.query)),
          subresource: 'scale',
          rules: { generation: true, validatesKind: paths.validates === true },
          track: keepTimes,
        },
      )
      sendObject(res, 200, toScale(written.object, paths), media)
      return
    }
    default:
      throw methodNotSupportedError(endpoint.registry.of, info.verb)
  }
}

const keepTimes = (object: AnyObject, old: AnyObject | undefined): void => {
  if (old) keepTimesIfUnchanged(object, old)
}

const versionsOf = (resource: Resource): string[] =>
  [resource, ...resource.versions].map(({ group, version }) => apiVersionOf(group, version))

/** What the request makes of a scale, ownership of its replicas recorded. */
async function scaleChange(scope: Scope): Promise<(current: Stored<Scale>) => Stored<Scale>> {
  const { info, req, server } = scope
  const body = await readBody(req)
  const mode = fieldValidationOf(info.query)
  const schema = scaleSchema()
  const decode = (value: unknown, faults?: Faults) =>
    decodeAs(schema, value, 'Scale', 'v1', { mode, warn: scope.warn, ...(faults ? { faults } : {}) }) as Stored<Scale>
  const common = {
    schema,
    manager: fieldManagerOf(scope),
    apiVersion: 'autoscaling/v1',
    subresource: 'scale',
    nowMs: server.now(),
  }
  if (isApply(scope)) {
    const { value } = parseApplyBody(body.toString())
    const applied = decode(value)
    const force = isTrue(info.query.get('force'))
    return (current) =>
      decode(
        serverSideApply({ live: current as AnyObject, applied: applied as AnyObject, force, kind: 'Scale', ...common }),
      )
  }
  const recorded = (old: Stored<Scale>, next: Stored<Scale>): Stored<Scale> => {
    recordUpdate({ old: old as AnyObject, new: next as AnyObject, ...common })
    return next
  }
  if (info.verb === 'update') {
    const { value, faults } = parseBody(body, req.headers['content-type'], schema)
    const sent = decode(value, faults)
    return (current) => recorded(current, structuredClone(sent))
  }
  const patch = parsePatch(scope, body)
  return (current) => recorded(current, decode(patch.apply(current as unknown as AnyObject, schema)))
}

function applyScale(scope: Scope, object: AnyObject, scale: Stored<Scale>, paths: ScalePaths): AnyObject {
  const { endpoint, info } = scope
  const { resourceVersion } = scale.metadata
  checkName(info.name, scale.metadata)
  if (resourceVersion && resourceVersion !== object.metadata.resourceVersion) {
    throw conflictError(endpoint.registry.of, info.name, modifiedMessage)
  }
  const replicas = scale.spec?.replicas ?? 0
  if (replicas < 0) {
    throw invalidError({ group: 'autoscaling', kind: 'Scale' }, info.name, [
      invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ])
  }
  write(object, paths.specReplicas, replicas)
  const victims = scale.metadata.annotations?.[victimsAnnotation]
  if (victims !== undefined) nameVictims(scope, object, victims)
  return object
}

/** Of a scale's annotations this one is the object's: its controller reads it when it makes pods fewer. */
function nameVictims({ info }: Scope, { metadata }: AnyObject, victims: string): void {
  const fault = victimsFault(victims)
  if (fault !== undefined) {
    throw invalidError({ group: 'autoscaling', kind: 'Scale' }, info.name, [
      invalid(`metadata.annotations[${victimsAnnotation}]`, victims, fault),
    ])
  }
  metadata.annotations = { ...metadata.annotations, [victimsAnnotation]: victims }
}

function toScale(object: AnyObject, paths: ScalePaths): Stored<Scale> {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = paths.selector ? read(object, paths.selector) : undefined
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...(name ? { name } : {}),
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(creationTimestamp ? { creationTimestamp } : {}),
    },
    spec: { replicas: Number(read(object, paths.specReplicas) ?? 0) },
    status: {
      replicas: Number(read(object, paths.statusReplicas) ?? 0),
      ...(selector ? { selector: typeof selector === 'string' ? selector : formatSelectorString(selector) } : {}),
    },
  }
}

function read(object: unknown, path: string): unknown {
  let at = object
  for (const part of path.replace(/^\./, '').split('.')) {
    if (typeof at !== 'object' || at === null) return undefined
    at = (at as Record<string, unknown>)[part]
  }
  return at
}

function write(object: AnyObject, path: string, value: unknown): void {
  const parts = path.replace(/^\./, '').split('.')
  const last = parts.pop() as string
  let at = object as Record<string, unknown>
  for (const part of parts) {
    at[part] ??= {}
    at = at[part] as Record<string, unknown>
  }
  at[last] = value
}
