import { tooManyRequestsError } from '../../api/machinery/errors.ts'

export interface InflightLimits {
  /** Reads at once; 0: no limit. */
  readOnly: number
  /** Writes at once; 0: no limit. */
  mutating: number
}

/** Refuses with 429 what would be one request too many; watches, logs and the like do not count. */
export class InflightLimiter {
  readonly #limits: InflightLimits
  readOnly = 0
  mutating = 0

  constructor(limits: InflightLimits) {
    this.#limits = limits
  }

  /** Counts a request in and returns what counts it out. Throws 429 with Retry-After, unless it is exempt. */
  enter(isMutating: boolean, isExempt: boolean): () => void {
    if (isMutating) {
      if (!isExempt && this.#limits.mutating > 0 && this.mutating >= this.#limits.mutating) throw busy()
      this.mutating++
      return () => {
        this.mutating--
      }
    }
    if (!isExempt && this.#limits.readOnly > 0 && this.readOnly >= this.#limits.readOnly) throw busy()
    this.readOnly++
    return () => {
      this.readOnly--
    }
  }
}

const busy = () => tooManyRequestsError('too many requests, please try again later', 1)
