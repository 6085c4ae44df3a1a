import { compileSelector, type LabelMatcher } from '../../api/machinery/labels.ts'
import { splitKey } from '../../client/key.ts'
import type { PodView } from './types.ts'

/** Which pods each autoscaler scales, to find those that two would scale. */
export class Selectors {
  readonly #matchers = new Map<string, LabelMatcher>()

  forget(key: string): void {
    this.#matchers.delete(key)
  }

  /**
   * The pods among `all` of its namespace that the selector of this autoscaler selects. Refused where it has none, or one
   * that selects pods of another autoscaler's too.
   */
  choose(key: string, selector: string, all: readonly PodView[]): { pods: PodView[] } | { refused: Refusal } {
    if (selector === '') {
      const message = "the HPA target's scale is missing a selector"
      return {
        refused: { event: 'SelectorRequired', reason: 'InvalidSelector', message, error: 'selector is required' },
      }
    }
    let matches: LabelMatcher
    try {
      matches = compileSelector(selector)
    } catch (error) {
      const what = `couldn't convert selector into a corresponding internal selector object: ${(error as Error).message}`
      return { refused: { event: 'InvalidSelector', reason: 'InvalidSelector', message: what, error: what } }
    }
    this.#matchers.set(key, matches)
    const pods = all.filter(({ metadata }) => matches(metadata.labels ?? {}))
    const { namespace } = splitKey(key)
    const rivals = [...this.#matchers]
      .filter(([other]) => splitKey(other).namespace === namespace)
      .filter(([, test]) => pods.some(({ metadata }) => test(metadata.labels ?? {})))
      .map(([other]) => other)
    if (rivals.length > 1) {
      const what = `pods by selector ${selector} are controlled by multiple HPAs: [${rivals.join(' ')}]`
      return { refused: { event: 'AmbiguousSelector', reason: 'AmbiguousSelector', message: what, error: what } }
    }
    return { pods }
  }
}

interface Refusal {
  event: string
  /** Of the condition ScalingActive. */
  reason: string
  message: string
  error: string
}
