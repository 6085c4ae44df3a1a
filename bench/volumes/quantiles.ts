/** How long mounting took, of one kind of volume. */
export interface MountTime {
  plugin: string
  count: number
  /** Seconds: no more than this for half of them, and for ninety-nine of a hundred. */
  p50: number
  p99: number
}

const bucket = /^storage_operation_duration_seconds_bucket\{(.*)\} (\d+)$/

/** Reads an agent's metrics. A quantile is the upper end of the step that it falls into. */
export function mountTimes(metrics: string): MountTime[] {
  const byPlugin = new Map<string, { le: number; count: number }[]>()
  for (const line of metrics.split('\n')) {
    const [, labels = '', count] = bucket.exec(line) ?? []
    const label = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(labels)?.[1] ?? ''
    if (count === undefined || label('status') !== 'success') continue
    const plugin = label('volume_plugin')
    const le = label('le') === '+Inf' ? Number.POSITIVE_INFINITY : Number(label('le'))
    byPlugin.set(plugin, [...(byPlugin.get(plugin) ?? []), { le, count: Number(count) }])
  }
  return [...byPlugin].map(([plugin, steps]) => {
    const total = steps.at(-1)?.count ?? 0
    const quantile = (share: number) => steps.find(({ count }) => count >= share * total)?.le ?? 0
    return { plugin, count: total, p50: quantile(0.5), p99: quantile(0.99) }
  })
}
