import { StatusError } from '../../api/machinery/errors.ts'
import { isNotFound } from '../../client/errors.ts'
import type { Api, Live, ServedResource } from '../../client/types.ts'
import type { Findings } from './conditions.ts'

/** How much is left, and how long pods may still take to end. */
export interface Round extends Findings {
  estimateSeconds: number
}

/**
 * Deletes what the namespace holds and tells what is left. Pods go first: nothing that they use is taken from under them
 * while they end.
 */
export async function deleteContent(api: Api, namespace: string, signal: AbortSignal): Promise<Round> {
  const round: Round = {
    discoveryErrors: [],
    deletionErrors: [],
    remaining: new Map(),
    finalizers: new Map(),
    estimateSeconds: 0,
  }
  const { resources, incomplete } = await api.discover(signal)
  round.discoveryErrors = incomplete
  const deletable = resources.filter(
    ({ namespaced, verbs }) => namespaced && verbs.includes('delete') && verbs.includes('list'),
  )
  const isPods = ({ group, plural }: ServedResource) => group === '' && plural === 'pods'
  const pods = deletable.filter(isPods)
  await Promise.all(pods.map((kind) => deleteKind(api, kind, namespace, round, signal)))
  if (round.remaining.size > 0) return round
  const rest = deletable.filter((kind) => !isPods(kind))
  // A few at a time: a namespace that goes must not take the server's time from others.
  const work = rest[Symbol.iterator]()
  const worker = async () => {
    for (const kind of work) await deleteKind(api, kind, namespace, round, signal)
  }
  await Promise.all([worker(), worker(), worker(), worker()])
  return round
}

async function deleteKind(
  api: Api,
  kind: ServedResource,
  namespace: string,
  round: Round,
  signal: AbortSignal,
): Promise<void> {
  try {
    let left = await list(api, kind, namespace, signal)
    if (left.length === 0) return
    await deleteAll(api, kind, namespace, left, signal)
    left = await list(api, kind, namespace, signal)
    if (left.length === 0) return
    round.remaining.set(`${kind.plural}.${kind.group}`, left.length)
    let isHeld = false
    for (const { metadata } of left) {
      const { finalizers = [], deletionGracePeriodSeconds: graceSeconds = 0 } = metadata
      for (const finalizer of finalizers) round.finalizers.set(finalizer, (round.finalizers.get(finalizer) ?? 0) + 1)
      round.estimateSeconds = Math.max(round.estimateSeconds, graceSeconds)
      isHeld ||= finalizers.length > 0 || graceSeconds > 0
    }
    if (isHeld) return
    const resource = `${kind.group === '' ? '' : `${kind.group}/`}${kind.version}, Resource=${kind.plural}`
    round.deletionErrors.push(`unexpected items still remain in namespace: ${namespace} for gvr: ${resource}`)
  } catch (error) {
    if (signal.aborted) throw error
    // Served no longer, or not to be listed: there is nothing to do.
    if (isNotFound(error) || (error instanceof StatusError && error.code === 405)) return
    round.deletionErrors.push(`${kind.plural}.${kind.group}: ${(error as Error).message}`)
  }
}

async function list(api: Api, kind: ServedResource, namespace: string, signal: AbortSignal): Promise<Live<unknown>[]> {
  return (await api.list(kind, { namespace, metadataOnly: true, signal })).items
}

async function deleteAll(
  api: Api,
  kind: ServedResource,
  namespace: string,
  objects: readonly Live<unknown>[],
  signal: AbortSignal,
): Promise<void> {
  const propagationPolicy = 'Background' as const
  if (kind.verbs.includes('deletecollection')) {
    await api.deleteCollection(kind, { namespace }, { propagationPolicy, signal })
    return
  }
  for (const { metadata } of objects) {
    if (metadata.deletionTimestamp) continue
    await api
      .delete(kind, { namespace, name: metadata.name }, { propagationPolicy, signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
  }
}
