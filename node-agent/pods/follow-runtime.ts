import type { Logger } from '../../client/logger.ts'
import type { Clock } from '../../client/types.ts'
import type { Runtime } from '../runtime/index.ts'
import { Nap } from './nap.ts'
import type { RuntimeView } from './runtime-view.ts'

export interface RuntimeFollower {
  clock: Clock
  log: Logger
  runtime: Pick<Runtime, 'events'>
  view: RuntimeView
  /** Something of this pod has changed in the runtime. */
  wake(podUid: string): void
  started(podUid: string, id: string): void
  /** A container or sandbox of this pod has ended; the runtime's own lists may learn of it a moment later. */
  ended(podUid: string, id: string): void
  /** All pods the runtime has something of, when it was listed. */
  listed(pods: readonly { uid: string; name: string; namespace: string }[]): Promise<void>
  signal: AbortSignal
}

const relistMs = 60_000
const strangerMs = 100
const retryMs = 1000

/**
 * Wakes pods when something happens to their containers: on the runtime's events, and by a slow list as a net below them.
 * Runs until the signal fires.
 */
export async function followRuntime(follower: RuntimeFollower): Promise<void> {
  const relister = new Relister(follower)
  await Promise.all([relister.run(), readEvents(follower, relister)])
}

async function readEvents(
  { clock, log, runtime, view, started, ended, signal }: RuntimeFollower,
  relister: Relister,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const { type, sandboxId, containerId } of runtime.events(signal)) {
        const id = containerId ?? sandboxId
        const uid = owner(view, containerId) ?? owner(view, sandboxId)
        if (uid === undefined || id === undefined) relister.soon(type === 'resync' ? 0 : strangerMs)
        else if (type === 'started') started(uid, id)
        else ended(uid, id)
      }
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, "the runtime's events cannot be read; trying again")
    }
    if (signal.aborted) return
    relister.soon(0)
    await clock.sleep(retryMs, signal).catch(() => undefined)
  }
}

const owner = (view: RuntimeView, id: string | undefined): string | undefined =>
  id === undefined ? undefined : view.ownerOf(id)

class Relister {
  readonly #follower: RuntimeFollower
  #seen = new Map<string, string>()
  #due = 0
  readonly #nap: Nap

  constructor(follower: RuntimeFollower) {
    this.#follower = follower
    this.#nap = new Nap(follower.clock, follower.signal)
  }

  /** List in `ms` milliseconds at the latest. */
  soon(ms: number): void {
    const at = this.#follower.clock.now() + ms
    if (at >= this.#due) return
    this.#due = at
    this.#nap.wake()
  }

  async run(): Promise<void> {
    const { clock, log, signal } = this.#follower
    while (!signal.aborted) {
      this.#due = clock.now() + relistMs
      try {
        await this.#list()
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, 'the runtime cannot be listed')
        this.#due = clock.now() + retryMs
      }
      while (!signal.aborted && clock.now() < this.#due) {
        await this.#nap.rest(this.#due - clock.now())
      }
    }
  }

  async #list(): Promise<void> {
    const { view, wake, listed } = this.#follower
    const now = await view.listAll()
    const before = this.#seen
    this.#seen = new Map([...now].map(([uid, { fingerprint }]) => [uid, fingerprint]))
    for (const uid of new Set([...before.keys(), ...this.#seen.keys()])) {
      if (before.get(uid) !== this.#seen.get(uid)) wake(uid)
    }
    await listed([...now.values()].map(({ pod }) => pod))
  }
}
