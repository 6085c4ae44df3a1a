import type { PersistentVolumeClaim, Pod } from '../../api/generated/types.ts'
import { persistentVolumeClaims } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { alignTabs } from '../print/tabs.ts'
import type { Session } from '../session.ts'
import type { Verb } from '../verb.ts'
import { podsIn, usersOf } from './claims.ts'
import { bytesText } from './progress.ts'

interface LsFlags {
  allNamespaces?: boolean
}

/** What the agent of a node tells of its pods' volumes. */
interface Summary {
  pods?: { volume?: { pvcRef?: { name: string; namespace: string }; usedBytes?: number }[] }[]
}

export const ls: Verb<LsFlags> & { summary: string } = {
  summary: 'list claims, what is in them, and who uses them',
  usage: '',
  examples: ['gantry volume ls', 'gantry volume ls -A'],
  define: (command) => void command.option('-A, --all-namespaces', 'those of every namespace'),
  async run(session, _args, { allNamespaces = false }) {
    const namespace = allNamespaces ? undefined : session.namespace
    const { signal } = session
    const [{ items }, pods] = await Promise.all([
      session.client.list<PersistentVolumeClaim>(persistentVolumeClaims, {
        ...(namespace ? { namespace } : {}),
        signal,
      }),
      podsIn(session, namespace),
    ])
    if (items.length === 0) {
      session.io.err(namespace ? `No claims found in ${namespace} namespace.\n` : 'No claims found\n')
      return 0
    }
    const used = await usedBytes(session, nodesOf(pods))
    const rows = items.map((claim) => rowOf(claim, pods, used))
    const header = ['NAMESPACE', 'NAME', 'STATUS', 'CLASS', 'SIZE', 'USED', 'NODE', 'USED BY']
    const lines = [header, ...rows].map((cells) => (allNamespaces ? cells : cells.slice(1)).join('\t'))
    session.io.out(`${alignTabs(lines.join('\n'), { padding: 3 })}\n`)
    return 0
  },
}

function rowOf(
  { metadata, spec, status }: Live<PersistentVolumeClaim>,
  pods: readonly Live<Pod>[],
  used: ReadonlyMap<string, number>,
): string[] {
  const { name, namespace = '' } = metadata
  const users = usersOf(
    name,
    pods.filter((pod) => pod.metadata.namespace === namespace),
  )
  const bytes = used.get(`${namespace}/${name}`)
  const list = (texts: readonly (string | undefined)[]): string => [...new Set(texts)].join(',') || '-'
  return [
    namespace,
    name,
    metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''),
    spec?.storageClassName ?? '-',
    String(status?.capacity?.storage ?? spec?.resources?.requests?.storage ?? '-'),
    // Measured where it is mounted, and only there.
    bytes === undefined ? '-' : bytesText(bytes),
    list(users.map(({ pod }) => pod.spec?.nodeName)),
    list(users.map(({ pod }) => pod.metadata.name)),
  ]
}

const nodesOf = (pods: readonly Live<Pod>[]): string[] => [
  ...new Set(
    pods.flatMap(({ spec }) =>
      spec?.nodeName && spec.volumes?.some(({ persistentVolumeClaim, ephemeral }) => persistentVolumeClaim ?? ephemeral)
        ? [spec.nodeName]
        : [],
    ),
  ),
]

async function usedBytes(session: Session, nodes: readonly string[]): Promise<Map<string, number>> {
  const used = new Map<string, number>()
  const answers = await Promise.allSettled(
    nodes.map((node) => session.json<Summary>('GET', `/api/v1/nodes/${encodeURIComponent(node)}/proxy/stats/summary`)),
  )
  for (const answer of answers) {
    // Of a node that does not answer nothing is known.
    for (const { volume = [] } of answer.status === 'fulfilled' ? (answer.value.pods ?? []) : []) {
      for (const { pvcRef, usedBytes: bytes } of volume) {
        if (pvcRef && bytes !== undefined) used.set(`${pvcRef.namespace}/${pvcRef.name}`, bytes)
      }
    }
  }
  return used
}
