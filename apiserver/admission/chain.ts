import type { AdmissionAttributes, AdmissionPlugin } from './types.ts'

/**
 * Runs plugins in order. The array handed in is read at each request, so it may be filled after the chain is made.
 */
export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[]

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins
  }

  /** Lets every mutating plugin change the object, before validation. Throws the StatusError of the first that refuses. */
  async admit(attributes: AdmissionAttributes): Promise<void> {
    await this.#admitOnce(attributes)
    // What a webhook added lacks what the others add.
    if (attributes.reinvoke) await this.#admitOnce(attributes)
  }

  async #admitOnce(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#plugins) {
      if (!plugin.admit || !plugin.handles(attributes)) continue
      // Awaiting what is no promise costs a turn of the loop for each plugin.
      const pending = plugin.admit(attributes)
      if (pending) await pending
    }
  }

  /** Lets every validating plugin refuse, after validation. Throws the StatusError of the first that does. */
  async validate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#plugins) {
      if (!plugin.validate || !plugin.handles(attributes)) continue
      const pending = plugin.validate(attributes)
      if (pending) await pending
    }
  }

  /** Both, for operations that validate nothing in between (DELETE, CONNECT). */
  async run(attributes: AdmissionAttributes): Promise<void> {
    await this.admit(attributes)
    await this.validate(attributes)
  }
}
