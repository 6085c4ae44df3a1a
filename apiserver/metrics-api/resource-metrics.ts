import type { Node, Pod } from '../../api/generated/types.ts'
import { notFoundError } from '../../api/machinery/errors.ts'
import type { AnyObject, KubeObject, Stored } from '../../api/machinery/object.ts'
import type { Scope, SubresourceHandler } from '../handlers/context.ts'
import { includeObjectOf } from '../handlers/parameters.ts'
import { presenterFor } from '../handlers/present.ts'
import { sendParts } from '../handlers/respond.ts'
import { parseSelection } from '../handlers/selection.ts'
import { sendCached } from '../handlers/send.ts'
import { storeKey, storePrefix } from '../registry/codec.ts'
import { CachedObject } from '../registry/watch-cache.ts'
import type { Meter } from './meter.ts'
import { nodeMetricsOf, podMetricsOf } from './objects.ts'
import { requireOurs } from './step-back.ts'

/** Serves metrics.k8s.io: nodes and pods of which something is known, measured when they are asked for. */
export function resourceMetricsHandlers(meter: Meter, now: () => number): Record<string, SubresourceHandler> {
  const nodes = async (chosen: readonly Stored<Node>[]): Promise<KubeObject[]> => {
    const usage = await meter.usageOn(chosen.map(({ metadata }) => metadata.name ?? ''))
    return chosen.flatMap((node) => {
      const own = usage.get(node.metadata.name ?? '')
      return (own && nodeMetricsOf(node, own, now())) ?? []
    })
  }
  const pods = async (chosen: readonly Stored<Pod>[]): Promise<KubeObject[]> => {
    const usage = await meter.usageOn(chosen.flatMap(({ spec }) => spec?.nodeName ?? []))
    return chosen.flatMap((pod) => {
      const own = usage.get(pod.spec?.nodeName ?? '')
      return (own && podMetricsOf(pod, own, now())) ?? []
    })
  }
  return {
    'metrics.k8s.io/nodes/': (scope) => answer(scope, 'nodemetrics', nodes),
    'metrics.k8s.io/pods/': (scope) => answer(scope, 'podmetrics', pods),
  }
}

/** One by its name, or a list of what the selectors choose. The nodes and pods themselves say which there are. */
async function answer<T extends AnyObject>(
  scope: Scope,
  called: string,
  measure: (chosen: readonly T[]) => Promise<KubeObject[]>,
): Promise<void> {
  const { info, endpoint, media, server, res } = scope
  const { cache, resource } = server.registry('', endpoint.resource.plural)
  requireOurs(server, endpoint.group, endpoint.version)
  if (info.verb === 'get') {
    const source = cache.get(storeKey(resource, info.namespace, info.name))
    const [one] = await measure(source ? [source.object as T] : [])
    const fullName = resource.namespaced ? `${info.namespace}/${info.name}` : info.name
    if (!one) throw notFoundError({ group: endpoint.group, resource: called }, fullName)
    await sendCached(scope, 200, cached(one))
    return
  }
  const { matches } = parseSelection(resource, info.query, '')
  const all = cache.range(storePrefix(resource, info.namespace))
  const measured = await measure((matches ? all.filter(matches) : all).map(({ object }) => object as T))
  const presenter = presenterFor(endpoint.resource, endpoint.served, media, includeObjectOf(info.query), server.now)
  await sendParts(res, 200, presenter.list(measured.map(cached), { revision: '' }), media)
}

/** In the form that presenters take. */
const cached = (object: KubeObject): CachedObject => new CachedObject('', 0, Buffer.from(JSON.stringify(object)))
