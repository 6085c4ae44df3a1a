import { resourceFor } from '../../client/resources.ts'
import type { Api, Clock, ResourceRef } from '../../client/types.ts'

/** How long an answer about what is served is good for. */
const freshMs = 30_000

/** Finds the resources that serve a kind, as an autoscaler names it. */
export interface Kinds {
  /** At least one. Throws an Error for a kind that is not served. */
  resourcesOf(apiVersion: string, kind: string, signal: AbortSignal): Promise<ResourceRef[]>
}

/** Asks the server only for kinds that are not built in, and not more often than every half minute. */
export function newKinds(api: Api, clock: Clock): Kinds {
  let served: Promise<readonly ResourceRef[]> | undefined
  let askedMs = Number.NEGATIVE_INFINITY
  const ask = (signal: AbortSignal) => {
    if (!served || clock.now() - askedMs > freshMs) {
      askedMs = clock.now()
      served = api.discover(signal).then(({ resources }) => resources)
      served.catch(() => {
        askedMs = Number.NEGATIVE_INFINITY
      })
    }
    return served
  }
  return {
    async resourcesOf(apiVersion, kind, signal) {
      const builtin = resourceFor(apiVersion, kind)
      if (builtin) return [builtin]
      const parts = apiVersion.split('/')
      if (parts.length > 2) throw new Error(`unexpected GroupVersion string: ${apiVersion}`)
      const group = parts.length === 2 ? (parts[0] as string) : ''
      const found = (await ask(signal)).filter((resource) => resource.group === group && resource.kind === kind)
      if (found.length === 0)
        throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`)
      return found
    },
  }
}
