import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { ControllerDeps, ControllerEntry, ControllerOptions } from '../types.ts'
import { depsFor, type Told } from './build.ts'

/** A controller at work, on a server in memory and a clock that stands still. */
export interface Running {
  clock: FakeClock
  api: MemoryApi
  deps: ControllerDeps
  told: Told[]
  stop(): void
}

/** Starts one; `prepare` fills the server before. */
export async function run(
  make: ControllerEntry['make'],
  options: Partial<ControllerOptions> = {},
  prepare: (api: MemoryApi) => Promise<unknown> = async () => {},
): Promise<Running> {
  const clock = new FakeClock()
  const api = new MemoryApi({ clock })
  await prepare(api)
  const stop = new AbortController()
  const informers = new InformerFactory(api, { clock })
  const { deps, told } = depsFor(api, informers, clock)
  const controllers = [make({ ...deps, options: { ...deps.options, ...options } })].flat()
  await informers.start(stop.signal)
  for (const controller of controllers) runController(controller, { signal: stop.signal }).catch(() => {})
  return { clock, api, deps, told, stop: () => stop.abort() }
}
