import type { Container, Pod } from '../api/generated/types.ts'
import type { Live } from '../client/types.ts'
import { CliError } from './errors.ts'
import { getObject, listObjects, namespaceFor } from './objects.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'
import { watchKind } from './watch.ts'
import { podSelector } from './workloads.ts'

/**
 * The pods a word names: `web-1`, `pod/web-1`, or those of `deployment/web`, the readiest first. A workload that has none
 * yet is given `waitMs`.
 */
export async function podsNamed(session: Session, words: readonly string[], waitMs = 0): Promise<Live<Pod>[]> {
  const kinds = await session.kinds()
  const pods = kinds.named('pods')
  const [word = ''] = words
  const targets = words.length === 1 && !word.includes('/') ? undefined : parseTargets(words, kinds)
  const target = targets?.type === 'named' ? targets.objects[0] : { kind: pods, name: word }
  if (!target) throw new CliError('name a pod, or a workload as deployment/NAME')
  const object = await getObject(session, target.kind, target.name, namespaceFor(session, target.kind))
  if (target.kind.plural === 'pods') return [object as Live<Pod>]
  const labelSelector = podSelector({ kind: target.kind, object })
  let found = await podsSelected(session, labelSelector)
  if (found.length === 0 && waitMs > 0 && (await firstPodComes(session, labelSelector, waitMs)))
    found = await podsSelected(session, labelSelector)
  if (found.length === 0)
    throw new CliError(`${target.kind.plural}/${target.name} has no pods (they would have ${labelSelector})`)
  return found
}

/** Whether a pod with these labels is there within the time. */
async function firstPodComes(session: Session, labelSelector: string, waitMs: number): Promise<boolean> {
  const pods = (await session.kinds()).named('pods')
  const coming = watchKind(
    session,
    pods,
    { namespace: session.namespace, labelSelector },
    { resourceVersion: '0', onEvent: () => true },
  ).then(() => true)
  coming.catch(() => {})
  return Promise.race([coming, session.clock.sleep(waitMs).then(() => false)])
}

/** The pods with these labels, the readiest first. */
export async function podsSelected(session: Session, labelSelector: string): Promise<Live<Pod>[]> {
  const kinds = await session.kinds()
  const found = (await listObjects(session, kinds.named('pods'), {
    namespace: session.namespace,
    labelSelector,
  })) as Live<Pod>[]
  const rank = ({ status }: Live<Pod>) =>
    (status?.phase === 'Running' ? 0 : 2) +
    (status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ? 0 : 1)
  return found.sort((a, b) => rank(a) - rank(b))
}

/** The container a flag names, or the one that is meant without. Says which one where there are several. */
export function containerOf(session: Session, pod: Live<Pod>, wanted: string | undefined, quiet = false): Container {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {}
  const every = [...containers, ...initContainers, ...(ephemeralContainers as Container[])]
  const names = [
    ...containers.map(({ name }) => name),
    ...ephemeralContainers.map(({ name }) => `${name} (ephem)`),
    ...initContainers.map(({ name }) => `${name} (init)`),
  ].join(', ')
  const asked = wanted || pod.metadata.annotations?.['kubectl.kubernetes.io/default-container']
  if (asked) {
    const found = every.find(({ name }) => name === asked)
    if (!found) throw new CliError(`container ${asked} is not valid for pod ${pod.metadata.name} out of: ${names}`)
    return found
  }
  const [first] = containers
  if (!first) throw new CliError(`pod ${pod.metadata.namespace}/${pod.metadata.name} does not have any containers`)
  if (every.length > 1 && !quiet) session.io.err(`Defaulted container "${first.name}" out of: ${names}\n`)
  return first
}
