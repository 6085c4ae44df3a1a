/** Seconds. Upstream's steps, and finer ones below them: most volumes are there sooner than its first. */
const steps = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600]
const metric = 'storage_operation_duration_seconds'

interface Series {
  plugin: string
  status: 'success' | 'fail-unknown'
  /** By step, those not slower; the last is all. */
  counts: number[]
  sum: number
}

/** How long it took to mount volumes, by the kind of volume, under upstream's name. */
export class MountTimes {
  readonly #series = new Map<string, Series>()

  observe(plugin: string, isMounted: boolean, ms: number): void {
    const status = isMounted ? 'success' : 'fail-unknown'
    const key = `${plugin}/${status}`
    const series = this.#series.get(key) ?? { plugin, status, counts: [...steps.map(() => 0), 0], sum: 0 }
    this.#series.set(key, series)
    const seconds = ms / 1000
    series.sum += seconds
    for (const [i, step] of [...steps, Number.POSITIVE_INFINITY].entries()) {
      if (seconds <= step) series.counts[i] = (series.counts[i] ?? 0) + 1
    }
  }

  /** In Prometheus' text format; empty before the first. */
  text(): string {
    if (this.#series.size === 0) return ''
    const head = `# HELP ${metric} How long storage operations took.\n# TYPE ${metric} histogram\n`
    return head + [...this.#series.values()].map(linesOf).join('')
  }
}

function linesOf({ plugin, status, counts, sum }: Series): string {
  const labels = `migrated="false",operation_name="volume_mount",status="${status}",volume_plugin="${plugin.replace('~', '/')}"`
  const buckets = counts.map((count, i) => `${metric}_bucket{${labels},le="${steps[i] ?? '+Inf'}"} ${count}\n`)
  return `${buckets.join('')}${metric}_sum{${labels}} ${sum}\n${metric}_count{${labels}} ${counts.at(-1)}\n`
}
