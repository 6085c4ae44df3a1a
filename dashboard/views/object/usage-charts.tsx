import { useEffect, useState } from 'preact/hooks'
import { UsagePair } from '../../parts/usage-pair.tsx'
import { askJson } from '../../server/request.ts'
import { type Series, useUsage } from '../../server/usage.ts'
import type { TabProps } from './object.tsx'

/** Kinds whose pods are told by their names. */
const workloads = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job'])

/** What a node, a pod, or the pods of a workload have used in the last hours. */
export function UsageCharts({ kind, object: { metadata } }: TabProps) {
  const { namespace = '', name = '' } = metadata
  if (kind.kind === 'Node') return <NodeCharts name={name} />
  if (kind.kind === 'Pod') return <PodCharts namespace={namespace} of={{ pod: name }} />
  if (workloads.has(kind.kind)) return <PodCharts namespace={namespace} of={{ owner: `${kind.kind}/${name}` }} />
  return null
}

function NodeCharts({ name }: { name: string }) {
  const { times, byNode, denied } = useUsage('')
  const { cpu, memory } = byNode.get(name) ?? { cpu: [], memory: [] }
  return <Pair times={times} cpu={cpu} memory={memory} without={denied.nodes} />
}

interface Past {
  times: number[]
  cpu: Series
  memory: Series
}

/** Of one pod, or of all that a workload has had. */
function PodCharts({ namespace, of }: { namespace: string; of: Record<string, string> }) {
  const { times, denied } = useUsage(namespace)
  const [past, setPast] = useState<Past>({ times: [], cpu: [], memory: [] })
  const newest = times.at(-1)
  const query = new URLSearchParams({ namespace, ...of }).toString()
  // The server tells when it has measured; then, and only then, is there something new to ask for.
  useEffect(() => {
    const asked = new AbortController()
    askJson<Past>(`/ui/metrics?${query}`, { signal: asked.signal })
      .then(setPast)
      // Why there is nothing to show is told by the stream of samples.
      .catch(() => {})
    return () => asked.abort()
  }, [query, newest])
  return <Pair {...past} without={denied.pods} />
}

const Pair = (props: Past & { without: string | undefined }) => (
  <section class="charts two" aria-label="The last hours">
    <UsagePair {...props} />
  </section>
)
