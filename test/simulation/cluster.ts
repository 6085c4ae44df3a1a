import type { Binding, PodDisruptionBudget } from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { EventRecorder } from '../../client/events.ts'
import { InformerFactory } from '../../client/informer.ts'
import { silentLogger } from '../../client/logger.ts'
import { podDisruptionBudgets, pods } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { newDeploymentController } from '../../controller-manager/deployment/controller.ts'
import { newDisruptionController } from '../../controller-manager/disruption/controller.ts'
import { newNodeLifecycleController } from '../../controller-manager/node-lifecycle/controller.ts'
import { newTaintEvictionController } from '../../controller-manager/node-lifecycle/taint-eviction.ts'
import { newPodGcController } from '../../controller-manager/pod-gc/controller.ts'
import { newReplicaSetController } from '../../controller-manager/replicaset/controller.ts'
import { depsFor } from '../../controller-manager/testing/build.ts'
import { SchedulerMetrics } from '../../scheduler/metrics.ts'
import { Scheduler } from '../../scheduler/scheduler.ts'
import { serveEvictions } from './evictions.ts'
import { HollowNodes } from './hollow-nodes.ts'
import { Judge } from './judge.ts'

const makers = [
  newNodeLifecycleController,
  newTaintEvictionController,
  newPodGcController,
  newDeploymentController,
  newReplicaSetController,
  newDisruptionController,
]

/** How often somebody looks at the clock. */
export const lookEveryMs = 500

/** The real scheduler and the real controllers, nodes without anything in them, and a judge of what they do. */
export interface Cluster {
  api: MemoryApi
  clock: FakeClock
  nodes: HollowNodes
  judge: Judge
  scheduler: Scheduler
  /** Lets time pass, and all that follows from it happen. */
  pass(ms: number): Promise<void>
  stop(): Promise<void>
}

export async function startCluster(random: () => number): Promise<Cluster> {
  const clock = new FakeClock()
  const api = new MemoryApi({ clock, keepsCalls: false, historySize: 1000, bookmarkEveryMs: 10_000 })
  const stop = new AbortController()
  const { signal } = stop
  const judge = new Judge(clock)
  const judged = judge.follow(api, signal).catch((error: unknown) => {
    if (!signal.aborted) judge.faults.push(`the history was lost: ${(error as Error).message}`)
  })
  // Nobody reads what they tell, and it would be most of what happens.
  const events = new EventRecorder(api, { component: 'simulation' }, { clock })
  events.stop()

  const informers = new InformerFactory(api, { clock })
  const { deps } = depsFor(api, informers, clock)
  const controllers = makers.map((make) => make({ ...deps, events }))
  const nodes = new HollowNodes(api, clock, random, informers.for(pods), lookEveryMs)
  const bind = api.posts.get('pods/binding')
  api.posts.set('pods/binding', (key, body) => {
    judge.seeBinding(body as Binding)
    return bind?.(key, body)
  })
  serveEvictions(api, clock, informers.for<PodDisruptionBudget>(podDisruptionBudgets).lister)

  const followed = new InformerFactory(api, { clock })
  const scheduler = new Scheduler({
    api,
    informers: followed,
    eventsOf: () => events,
    clock,
    log: silentLogger,
    metrics: new SchedulerMetrics(),
    random,
  })
  await Promise.all([informers.start(signal), followed.start(signal)])
  const running = [scheduler.run(signal), ...controllers.map((controller) => runController(controller, { signal }))]
  const settle = async () => {
    let seen = -1
    for (let quiet = 0; quiet < 20; quiet++) {
      if (judge.seen !== seen) quiet = 0
      seen = judge.seen
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
  return {
    api,
    clock,
    nodes,
    judge,
    scheduler,
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += lookEveryMs) {
        await clock.advance(lookEveryMs)
        await settle()
        await nodes.look()
        await settle()
      }
    },
    async stop() {
      stop.abort(new Error('the day is over'))
      await Promise.all([judged, ...running])
    },
  }
}
