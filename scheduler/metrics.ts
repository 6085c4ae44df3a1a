import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { QueueName } from './queue/scheduling-queue.ts'

/** What is read at the moment somebody asks for the metrics. */
export interface Gauges {
  queues: () => Readonly<Record<QueueName, number>>
  /** By plugin and profile. */
  rejected: () => readonly { plugin: string; profile: string; pods: number }[]
  cache: () => { nodes: number; pods: number; assumed: number }
  binding: () => number
}

export type AttemptResult = 'scheduled' | 'unschedulable' | 'error'

const doubling = (start: number, count: number) => Array.from({ length: count }, (_, i) => start * 2 ** i)

/** What the scheduler counts, under upstream's names. */
export class SchedulerMetrics {
  readonly registry = new Registry()
  readonly #attempts = this.#counter('schedule_attempts_total', 'Tries to schedule a pod, by their result', [
    'result',
    'profile',
  ])
  readonly #attemptSeconds = this.#histogram(
    'scheduling_attempt_duration_seconds',
    'How long a try takes, with the binding',
    doubling(0.001, 15),
    ['result', 'profile'],
  )
  readonly #algorithmSeconds = this.#histogram(
    'scheduling_algorithm_duration_seconds',
    'How long it takes to choose a node',
    doubling(0.001, 15),
  )
  readonly #sliSeconds = this.#histogram(
    'pod_scheduling_sli_duration_seconds',
    'From the first try of a pod to its binding, by the number of tries',
    doubling(0.01, 20),
    ['attempts'],
  )
  readonly #attemptsOfPod = this.#histogram(
    'pod_scheduling_attempts',
    'Tries that it took to schedule a pod',
    doubling(1, 5),
  )
  readonly #incoming = this.#counter('queue_incoming_pods_total', 'Pods put into a queue, by queue and cause', [
    'queue',
    'event',
  ])
  readonly #preemptions = this.#counter('preemption_attempts_total', 'Tries to make room for a pod')
  readonly #victims = this.#histogram('preemption_victims', 'Pods removed by a preemption', doubling(1, 7))
  readonly #afterFlush = this.#counter(
    'pod_scheduled_after_flush_total',
    'Pods scheduled after they had waited for an event in vain',
  )
  readonly #permitSeconds = this.#histogram(
    'permit_wait_duration_seconds',
    'How long pods wait for a permit',
    doubling(0.001, 15),
    ['result'],
  )
  readonly #leading = new Gauge({
    name: 'leader_election_master_status',
    help: 'Whether this process leads: 1 or 0',
    labelNames: ['name'],
    registers: [this.registry],
  })

  constructor() {
    this.#process('process_resident_memory_bytes', 'Resident memory in bytes', () => process.memoryUsage.rss())
    this.#process('process_cpu_seconds_total', 'Seconds of processor time', () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    })
    const startedAt = Date.now() / 1000 - process.uptime()
    this.#process('process_start_time_seconds', 'When the process started, in seconds since 1970', () => startedAt)
  }

  /** Says where the gauges are read. Once. */
  observe({ queues, rejected, cache, binding }: Gauges): void {
    this.#gauge('pending_pods', 'Pods that wait for a node, by queue', 'queue', queues)
    this.#gauge('cache_size', 'Nodes, pods and assumed pods in the cache', 'type', () => {
      const { assumed, ...sizes } = cache()
      return { ...sizes, assumed_pods: assumed }
    })
    this.#gauge('goroutines', 'Work that runs beside the scheduling', 'operation', () => ({ binding: binding() }))
    const unschedulable = new Gauge({
      name: 'scheduler_unschedulable_pods',
      help: 'Pods refused, by the plugins that refused them',
      labelNames: ['plugin', 'profile'],
      registers: [this.registry],
      collect() {
        for (const { plugin, profile, pods } of rejected()) unschedulable.set({ plugin, profile }, pods)
      },
    })
  }

  attempted(result: AttemptResult, profile: string, seconds: number): void {
    this.#attempts.inc({ result, profile })
    this.#attemptSeconds.observe({ result, profile }, seconds)
  }

  chose(seconds: number): void {
    this.#algorithmSeconds.observe(seconds)
  }

  /** A pod has been bound, so long after its first try. */
  bound(attempts: number, seconds: number, wasFlushed: boolean): void {
    this.#sliSeconds.observe({ attempts: attempts >= 15 ? '15+' : String(attempts) }, seconds)
    this.#attemptsOfPod.observe(attempts)
    if (wasFlushed) this.#afterFlush.inc()
  }

  queued(queue: string, event: string): void {
    this.#incoming.inc({ queue, event })
  }

  preempted(victims: number): void {
    this.#preemptions.inc()
    if (victims > 0) this.#victims.observe(victims)
  }

  permitted(result: 'allowed' | 'rejected' | 'timeout', seconds: number): void {
    this.#permitSeconds.observe({ result }, seconds)
  }

  leading(name: string, leads: boolean): void {
    this.#leading.set({ name }, leads ? 1 : 0)
  }

  #counter(name: string, help: string, labelNames: string[] = []) {
    return new Counter({ name: `scheduler_${name}`, help, labelNames, registers: [this.registry] })
  }

  #histogram(name: string, help: string, buckets: number[], labelNames: string[] = []) {
    return new Histogram({ name: `scheduler_${name}`, help, labelNames, buckets, registers: [this.registry] })
  }

  #gauge(name: string, help: string, label: string, read: () => Readonly<Record<string, number>>) {
    new Gauge({
      name: `scheduler_${name}`,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        for (const [value, count] of Object.entries(read())) this.set({ [label]: value }, count)
      },
    })
  }

  #process(name: string, help: string, value: () => number) {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value())
      },
    })
  }
}
