import type { Scale } from '../../api/generated/types.ts'
import { conflictError, invalidError, methodNotSupportedError, modifiedMessage } from '../../api/machinery/errors.ts'
import { invalid } from '../../api/machinery/field-errors.ts'
import { formatSelectorString } from '../../api/machinery/labels.ts'
import type { AnyObject, Stored } from '../../api/machinery/object.ts'
import type { ScalePaths } from '../../api/machinery/resource.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { readBody } from '../handlers/body.ts'
import { type Scope, writeOptions } from '../handlers/context.ts'
import { decodeAs, fieldValidationOf, parseBody } from '../handlers/decode-body.ts'
import { isDryRun } from '../handlers/parameters.ts'
import { parsePatch } from '../handlers/patch.ts'
import { sendObject } from '../handlers/respond.ts'

const scaleSchema = () => builtinSchema('io.k8s.api.autoscaling.v1.Scale')

/** Reads and sets the replica count of any kind that has one, in the form of an autoscaling/v1 Scale. */
export async function handleScale(scope: Scope): Promise<void> {
  const { endpoint, info, res, media } = scope
  const paths = endpoint.resource.scale as ScalePaths
  switch (info.verb) {
    case 'get': {
      const { object } = await endpoint.registry.get(info.namespace, info.name)
      sendObject(res, 200, toScale(object, paths), media)
      return
    }
    case 'update':
    case 'patch': {
      const next = await scaleChange(scope)
      const written = await endpoint.registry.update(
        info.namespace,
        info.name,
        (current) => applyScale(scope, current as AnyObject, next(toScale(current as AnyObject, paths)), paths),
        {
          ...writeOptions(scope, isDryRun(info.query)),
          subresource: 'scale',
          rules: { generation: true },
        },
      )
      sendObject(res, 200, toScale(written.object, paths), media)
      return
    }
    default:
      throw methodNotSupportedError(endpoint.registry.of, info.verb)
  }
}

/** What the request makes of a scale. */
async function scaleChange(scope: Scope): Promise<(current: Stored<Scale>) => Stored<Scale>> {
  const { info, req } = scope
  const body = await readBody(req)
  const mode = fieldValidationOf(info.query)
  const decode = (value: unknown) =>
    decodeAs(scaleSchema(), value, 'Scale', 'v1', mode, [], scope.warn) as Stored<Scale>
  if (info.verb === 'update') {
    const { value } = parseBody(body, req.headers['content-type'], scaleSchema())
    const sent = decode(value)
    return () => structuredClone(sent)
  }
  const patch = parsePatch(scope, body)
  return (current) => decode(patch(current as unknown as AnyObject, scaleSchema()))
}

function applyScale(scope: Scope, object: AnyObject, scale: Stored<Scale>, paths: ScalePaths): AnyObject {
  const { endpoint, info } = scope
  const { resourceVersion } = scale.metadata
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
  return object
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
