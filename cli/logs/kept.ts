import { keptLogs } from '../../api/gantry/kept-logs.ts'
import type { ObjectMeta } from '../../api/generated/types.ts'
import { pathOf } from '../../client/client.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import { parseTargets } from '../targets.ts'

/** One of what the API server lists. */
interface KeptLog {
  metadata: ObjectMeta & { name: string }
  node: string
  containers: string[]
  until: string
}

/** Prints the logs of deleted pods: of one by its name, or of all that belonged to `deployment/web`, the oldest first. */
export async function showKeptLogs(
  session: Session,
  word: string,
  { container, query }: { container?: string; query: Record<string, string> },
): Promise<number> {
  const { namespace } = session
  const target = await targetOf(session, word)
  const list = await session.json<{ items: KeptLog[] }>('GET', pathOf(keptLogs, namespace), {
    query: target.owner ? { owner: target.owner } : {},
  })
  const found = list.items.filter(({ metadata }) => target.owner || metadata.name === target.pod).reverse()
  if (found.length === 0) {
    throw new CliError(
      `no node keeps logs of deleted pods of ${word} in namespace ${namespace}: pods with the annotation gantry.dev/keep-logs: 2h leave theirs for so long`,
    )
  }
  for (const kept of found) {
    const { name, uid = '', deletionTimestamp } = kept.metadata
    const containers = container ? [container] : kept.containers
    for (const each of containers) {
      session.io.err(`==> pod/${name} ${each}, deleted ${deletionTimestamp} on node ${kept.node} <==\n`)
      const answer = await session.raw('GET', pathOf(keptLogs, namespace, name), {
        query: { uid, container: each, ...query },
        stream: true,
        headers: { accept: '*/*' },
      })
      for await (const chunk of answer) await session.io.write('out', chunk as Buffer)
    }
  }
  return 0
}

async function targetOf(session: Session, word: string): Promise<{ pod?: string; owner?: string }> {
  if (!word.includes('/')) return { pod: word }
  const targets = parseTargets([word], await session.kinds())
  const [object] = targets.type === 'named' ? targets.objects : []
  if (!object) throw new CliError('name a pod, or a workload as deployment/NAME')
  return object.kind.plural === 'pods' ? { pod: object.name } : { owner: `${object.kind.kind}/${object.name}` }
}
