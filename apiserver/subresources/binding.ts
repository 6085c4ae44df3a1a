import type { Binding, Pod, PodCondition } from '../../api/generated/types.ts'
import { badRequestError, conflictError, invalidError, methodNotSupportedError } from '../../api/machinery/errors.ts'
import { type FieldError, notSupported, required } from '../../api/machinery/field-errors.ts'
import type { AnyObject, Stored } from '../../api/machinery/object.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { readBody } from '../handlers/body.ts'
import { type Scope, writeOptions } from '../handlers/context.ts'
import { decodeAs, type Faults, fieldValidationOf, parseBody } from '../handlers/decode-body.ts'
import { isDryRun } from '../handlers/parameters.ts'
import { sendObject } from '../handlers/respond.ts'
import { ownsNothing } from '../registry/server-client.ts'
import { admitCreated } from './connect.ts'

const schema = builtinSchema('io.k8s.api.core.v1.Binding')

/** Assigns a pod to a node: POST pods/NAME/binding, or the older POST bindings. */
export async function handleBinding(scope: Scope): Promise<void> {
  const { info, req, res, media, server } = scope
  if (info.verb !== 'create') throw methodNotSupportedError(server.registry('', 'pods').of, info.verb)
  const { value, faults } = parseBody(await readBody(req), req.headers['content-type'], schema)
  await bindPod(scope, value, faults)
  sendObject(res, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, media)
}

/** Assigns the pod that the request, or the binding itself, names. */
export async function bindPod(scope: Scope, value: unknown, decodingFaults?: Faults): Promise<void> {
  const { info, server } = scope
  const binding = decodeAs(schema, value, 'Binding', 'v1', {
    mode: fieldValidationOf(info.query),
    warn: scope.warn,
    ...(decodingFaults ? { faults: decodingFaults } : {}),
  }) as unknown as Stored<Binding>
  const podName = binding.metadata.name ?? ''
  if (info.resource === 'pods' && info.name !== podName) {
    if (podName !== '') throw badRequestError('name in URL does not match name in Binding object')
  }
  const name = podName || info.name
  if (binding.metadata.namespace && binding.metadata.namespace !== info.namespace) {
    throw badRequestError('the namespace of the provided object does not match the namespace sent on the request')
  }
  const faults = bindingFaults(binding)
  if (faults.length > 0) throw invalidError({ group: '', kind: 'Binding' }, name, faults)

  const nowMs = server.now()
  const dryRun = isDryRun(info.query)
  const kind = { group: '', version: 'v1', kind: 'Binding' }
  await admitCreated(scope, binding as unknown as AnyObject, kind, dryRun)
  await server
    .registry('', 'pods')
    .update(
      info.namespace,
      name,
      (current) => assign(current as unknown as Stored<Pod>, binding, formatTime(nowMs)) as unknown as AnyObject,
      { ...writeOptions(scope, dryRun), subresource: 'binding', rules: {}, track: ownsNothing, isAdmitted: true },
    )
}

function bindingFaults({ target }: Stored<Binding>): FieldError[] {
  const faults: FieldError[] = []
  if (target?.kind && target.kind !== 'Node') faults.push(notSupported('target.kind', target.kind, ['Node', '<empty>']))
  if (!target?.name) faults.push(required('target.name'))
  return faults
}

function assign(pod: Stored<Pod>, binding: Stored<Binding>, now: string): Stored<Pod> {
  const { metadata: meta } = pod
  const of = { group: '', resource: 'pods/binding' }
  const name = meta.name ?? ''
  const { uid, resourceVersion, annotations, labels } = binding.metadata
  if (uid && uid !== meta.uid) {
    throw conflictError(of, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${meta.uid}`)
  }
  if (resourceVersion && resourceVersion !== meta.resourceVersion) {
    throw conflictError(
      of,
      name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${meta.resourceVersion}`,
    )
  }
  if (meta.deletionTimestamp)
    throw conflictError(of, name, `pod ${name} is being deleted, cannot be assigned to a host`)
  const spec = pod.spec
  if (!spec) throw conflictError(of, name, `pod ${name} has no spec`)
  if (spec.nodeName)
    throw conflictError(of, name, `pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`)
  if (spec.schedulingGates?.length) throw conflictError(of, name, `pod ${name} has non-empty .spec.schedulingGates`)
  spec.nodeName = binding.target.name as string
  if (annotations) meta.annotations = { ...meta.annotations, ...annotations }
  if (labels) meta.labels = { ...meta.labels, ...labels }
  pod.status ??= {}
  delete pod.status.nominatedNodeName
  pod.status.conditions = setCondition(pod.status.conditions ?? [], { type: 'PodScheduled', status: 'True' }, now)
  return pod
}

/** Sets a condition; its transition time moves only when its status does. */
export function setCondition(
  conditions: readonly PodCondition[],
  condition: PodCondition,
  now: string,
): PodCondition[] {
  const at = conditions.findIndex(({ type }) => type === condition.type)
  const before = conditions[at]
  const lastTransitionTime = before?.status === condition.status ? (before.lastTransitionTime ?? now) : now
  const next: PodCondition = { ...condition, lastTransitionTime }
  return at < 0 ? [...conditions, next] : conditions.map((existing, i) => (i === at ? next : existing))
}
