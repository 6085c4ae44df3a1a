import type { Container, Pod } from '../api/generated/types.ts'
import type { Live } from '../client/types.ts'
import { CliError } from './errors.ts'
import { getObject, listObjects, namespaceFor } from './objects.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'
import { podSelector } from './workloads.ts'

/** The pods a word names: `web-1`, `pod/web-1`, or those of `deployment/web`, the readiest first. */
export async function podsNamed(session: Session, words: readonly string[]): Promise<Live<Pod>[]> {
  const kinds = await session.kinds()
  const pods = kinds.named('pods')
  const [word = ''] = words
  const targets = words.length === 1 && !word.includes('/') ? undefined : parseTargets(words, kinds)
  const target = targets?.type === 'named' ? targets.objects[0] : { kind: pods, name: word }
  if (!target) throw new CliError('name a pod, or a workload as deployment/NAME')
  const object = await getObject(session, target.kind, target.name, namespaceFor(session, target.kind))
  if (target.kind.plural === 'pods') return [object as Live<Pod>]
  const labelSelector = podSelector({ kind: target.kind, object })
  const found = await podsSelected(session, labelSelector)
  if (found.length === 0)
    throw new CliError(`${target.kind.plural}/${target.name} has no pods (they would have ${labelSelector})`)
  return found
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
export function containerOf(session: Session, pod: Live<Pod>, wanted: string | undefined): Container {
  const containers = pod.spec?.containers ?? []
  const every = [
    ...containers,
    ...(pod.spec?.initContainers ?? []),
    ...((pod.spec?.ephemeralContainers ?? []) as Container[]),
  ]
  const names = every.map(({ name }) => name)
  if (wanted) {
    const found = every.find(({ name }) => name === wanted)
    if (!found)
      throw new CliError(`container ${wanted} is not valid for pod ${pod.metadata.name}: it has ${names.join(', ')}`)
    return found
  }
  const preferred = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container']
  const chosen = every.find(({ name }) => name === preferred) ?? containers[0]
  if (!chosen) throw new CliError(`pod ${pod.metadata.name} has no containers`)
  if (names.length > 1 && !preferred)
    session.io.err(`Defaulted container "${chosen.name}" out of: ${names.join(', ')}\n`)
  return chosen
}
