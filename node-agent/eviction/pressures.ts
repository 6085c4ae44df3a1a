import type { Clock } from '../../client/types.ts'
import type { Shortage, Signal } from './thresholds.ts'

/** The conditions of a node that is short of something. */
export interface Pressures {
  memory: boolean
  disk: boolean
  pid: boolean
}

/** What a node says while these are short. */
export function pressuresOf(short: readonly Pick<Shortage, 'signal'>[]): Pressures {
  const any = (is: (signal: Signal) => boolean): boolean => short.some(({ signal }) => is(signal))
  return {
    memory: any((signal) => signal === 'memory.available'),
    disk: any((signal) => signal.startsWith('nodefs.') || signal.startsWith('imagefs.')),
    pid: any((signal) => signal === 'pid.available'),
  }
}

/** Says a pressure for some time after it was last seen, so that pods are not moved to and fro. */
export class HeldPressures {
  readonly #clock: Clock
  readonly #holdMs: number
  readonly #seenAt = new Map<keyof Pressures, number>()

  constructor(clock: Clock, holdMs: number) {
    this.#clock = clock
    this.#holdMs = holdMs
  }

  note(pressures: Pressures): void {
    for (const name of ['memory', 'disk', 'pid'] as const) {
      if (pressures[name]) this.#seenAt.set(name, this.#clock.now())
    }
  }

  get current(): Pressures {
    const isHeld = (name: keyof Pressures): boolean => {
      const at = this.#seenAt.get(name)
      return at !== undefined && this.#clock.now() - at < this.#holdMs
    }
    return { memory: isHeld('memory'), disk: isHeld('disk'), pid: isHeld('pid') }
  }
}
