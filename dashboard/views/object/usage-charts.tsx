import { useEffect, useState } from 'preact/hooks'
import { cpuText, memoryText } from '../../model/amounts.ts'
import { Chart } from '../../parts/chart.tsx'
import { askJson } from '../../server/request.ts'
import { type Series, useUsage } from '../../server/usage.ts'
import type { TabProps } from './object.tsx'

/** What a node or a pod has used in the last hours. */
export function UsageCharts({ kind, object: { metadata } }: TabProps) {
  if (kind.kind === 'Node') return <NodeCharts name={metadata.name ?? ''} />
  if (kind.kind === 'Pod') return <PodCharts namespace={metadata.namespace ?? ''} name={metadata.name ?? ''} />
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

function PodCharts({ namespace, name }: { namespace: string; name: string }) {
  const { times, denied } = useUsage(namespace)
  const [past, setPast] = useState<Past>({ times: [], cpu: [], memory: [] })
  const newest = times.at(-1)
  // The server tells when it has measured; then, and only then, is there something new to ask for.
  useEffect(() => {
    const asked = new AbortController()
    const query = new URLSearchParams({ namespace, pod: name })
    askJson<Past>(`/ui/metrics?${query}`, { signal: asked.signal })
      .then(setPast)
      // Why there is nothing to show is told by the stream of samples.
      .catch(() => {})
    return () => asked.abort()
  }, [namespace, name, newest])
  return <Pair {...past} without={denied.pods} />
}

function Pair({ times, cpu, memory, without }: Past & { without: string | undefined }) {
  return (
    <section class="charts two" aria-label="The last hours">
      <Chart title="CPU" times={times} lines={[{ label: 'CPU', values: cpu }]} text={cpuText} without={without} />
      <Chart
        title="Memory"
        times={times}
        lines={[{ label: 'Memory', values: memory }]}
        text={memoryText}
        without={without}
      />
    </section>
  )
}
