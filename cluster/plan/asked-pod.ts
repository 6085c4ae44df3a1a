import type { LabelSelector, Pod } from '../../api/generated/types.ts'
import { formatSelectorString } from '../../api/machinery/labels.ts'
import { wellKnownKinds } from '../../cli/well-known.ts'
import { pods } from '../../client/resources.ts'
import type { Api, Live, ResourceRef } from '../../client/types.ts'

/** What a workload says of itself. */
interface Workload {
  spec?: { selector?: LabelSelector }
  status?: { conditions?: { type: string; status: string; message?: string }[] }
}

/** A workload that has no pods to ask about. */
export class HasNoPods extends Error {}

/**
 * The pod that a word means: `web-1`, `pod/web-1`, or of the pods of `deployment/web` the one that is worst off. Throws
 * `HasNoPods`, with what keeps them from being made if it is known.
 */
export async function askedPod(api: Api, namespace: string, word: string): Promise<Live<Pod>> {
  const [type = '', name] = word.split('/')
  const lower = type.toLowerCase()
  const kind = wellKnownKinds.find(
    ({ plural, singular, shortNames, namespaced }) => namespaced && [plural, singular, ...shortNames].includes(lower),
  )
  if (name === undefined || kind?.kind === 'Pod') return api.get<Pod>(pods, { namespace, name: name ?? word })
  if (!kind) throw new HasNoPods(`there is no kind ${type} that has pods: name a pod, or a workload as deployment/NAME`)
  const { group, version, plural, namespaced } = kind
  const ref: ResourceRef<Workload> = { group, version, plural, kind: kind.kind, namespaced }
  const workload = await api.get(ref, { namespace, name })
  const labelSelector = formatSelectorString(workload.spec?.selector)
  const found = labelSelector === '' ? [] : (await api.list(pods, { namespace, labelSelector })).items
  const [worst] = found.sort((a, b) => fortune(a) - fortune(b))
  if (worst) return worst
  const failure = workload.status?.conditions?.find(
    ({ type: of, status }) => of === 'ReplicaFailure' && status === 'True',
  )
  throw new HasNoPods(`${kind.singular} "${name}" has no pods${failure?.message ? `: ${failure.message}` : ''}`)
}

/** Those without a node come first, then those that are not ready. */
const fortune = ({ spec, status }: Live<Pod>): number => {
  if (!spec?.nodeName) return 0
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ? 2 : 1
}
