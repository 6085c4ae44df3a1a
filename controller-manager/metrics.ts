import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Controller } from '../client/controller.ts'
import type { WorkQueue } from '../client/work-queue.ts'

/** Upstream's: powers of ten from ten nanoseconds to ten seconds. */
const buckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10]

/** What the manager counts, under upstream's names. */
export class ManagerMetrics {
  readonly registry = new Registry()
  readonly #queues: { name: string; queue: WorkQueue; running: Map<string, number> }[] = []
  readonly #adds = this.#counter('workqueue_adds_total', 'Keys added to a work queue')
  readonly #retries = this.#counter('workqueue_retries_total', 'Keys that are tried again after a failure')
  readonly #queued = this.#histogram('workqueue_queue_duration_seconds', 'How long a key waits for a worker')
  readonly #worked = this.#histogram('workqueue_work_duration_seconds', 'How long a key is worked on')
  readonly #leading = new Gauge({
    name: 'leader_election_master_status',
    help: 'Whether this process leads: 1 or 0',
    labelNames: ['name'],
    registers: [this.registry],
  })

  constructor() {
    const longest = (running: Map<string, number>) => Math.max(0, ...[...running.values()].map(secondsSince))
    const sum = (running: Map<string, number>) =>
      [...running.values()].reduce((total, since) => total + secondsSince(since), 0)
    this.#gauge('workqueue_depth', 'Keys that wait for a worker', ({ queue }) => queue.length)
    this.#gauge('workqueue_unfinished_work_seconds', 'Seconds spent on keys that are worked on now', ({ running }) =>
      sum(running),
    )
    this.#gauge(
      'workqueue_longest_running_processor_seconds',
      'Seconds the slowest worker has been busy',
      ({ running }) => longest(running),
    )
    this.#process('process_resident_memory_bytes', 'Resident memory in bytes', () => process.memoryUsage.rss())
    this.#process('process_cpu_seconds_total', 'Seconds of processor time', () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    })
    const startedAt = Date.now() / 1000 - process.uptime()
    this.#process('process_start_time_seconds', 'When the process started, in seconds since 1970', () => startedAt)
  }

  /** Counts what the controller's queue and workers do from now on. Call before the first key is added. */
  observe(controller: Controller): void {
    const { queue } = controller
    const name = queue.name || controller.name
    const running = new Map<string, number>()
    const since = new Map<string, number>()
    this.#queues.push({ name, queue, running })
    const add = queue.add.bind(queue)
    queue.add = (key) => {
      if (!since.has(key)) {
        since.set(key, process.uptime())
        this.#adds.inc({ name })
      }
      add(key)
    }
    const addRateLimited = queue.addRateLimited.bind(queue)
    queue.addRateLimited = (key) => {
      this.#retries.inc({ name })
      addRateLimited(key)
    }
    const reconcile = controller.reconcile.bind(controller)
    controller.reconcile = async (key, signal) => {
      const queuedAt = since.get(key)
      since.delete(key)
      if (queuedAt !== undefined) this.#queued.observe({ name }, secondsSince(queuedAt))
      running.set(key, process.uptime())
      const done = this.#worked.startTimer({ name })
      try {
        return await reconcile(key, signal)
      } finally {
        done()
        running.delete(key)
      }
    }
  }

  /** Tells whether this process holds the lease of that name. */
  leading(name: string, leads: boolean): void {
    this.#leading.set({ name }, leads ? 1 : 0)
  }

  #counter(name: string, help: string) {
    return new Counter({ name, help, labelNames: ['name'], registers: [this.registry] })
  }

  #histogram(name: string, help: string) {
    return new Histogram({ name, help, labelNames: ['name'], buckets, registers: [this.registry] })
  }

  #gauge(name: string, help: string, value: (observed: { queue: WorkQueue; running: Map<string, number> }) => number) {
    const queues = this.#queues
    new Gauge({
      name,
      help,
      labelNames: ['name'],
      registers: [this.registry],
      collect() {
        for (const observed of queues) this.set({ name: observed.name }, value(observed))
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

const secondsSince = (uptime: number): number => process.uptime() - uptime
