import type { Namespace, NetworkPolicy, Pod } from '../../../api/generated/types.ts'
import { isForbidden } from '../../../client/errors.ts'
import { Informer } from '../../../client/informer.ts'
import type { Logger } from '../../../client/logger.ts'
import { namespaces as namespacesRef, networkPolicies, pods as podsRef } from '../../../client/resources.ts'
import type { Api } from '../../../client/types.ts'
import { onlyPlace } from './place.ts'
import type { NetworkPolicies } from './policies.ts'

export interface FollowOptions {
  api: Api
  policies: NetworkPolicies
  log: Logger
  signal: AbortSignal
}

/** The policies of a cluster, followed. */
export interface FollowedPolicies {
  /** Resolves when the policies that there were at first are in the table's wanted state, or cannot be read. */
  readonly known: Promise<void>
  /** While policies are known of that are not in there yet: resolves when they are. */
  readonly settling: Promise<void> | undefined
}

/**
 * Follows the policies, and from the first one on the pods and namespaces that they may name: a cluster without policies has
 * no node that holds all its pods.
 */
export function followPolicies({ api, policies, log, signal }: FollowOptions): FollowedPolicies {
  let tellRefused: (error: unknown) => void = () => {}
  const refused = new Promise<void>((resolve) => {
    tellRefused = (err) => {
      log.warn({ err }, 'network policies do not hold on this node, which may not read what they need')
      resolve()
      tellRefused = () => {}
    }
  })
  const onError = (error: unknown) => {
    if (isForbidden(error)) tellRefused(error)
  }
  const pods = new Informer<Pod>(api, podsRef, { transform: onlyPlace, onError })
  pods.on({
    add: (pod) => policies.putPod(pod),
    update: (_, pod) => policies.putPod(pod),
    delete: (pod) => policies.removePod(pod),
  })
  const namespaces = new Informer<Namespace>(api, namespacesRef, { metadataOnly: true, onError })
  namespaces.on({
    add: ({ metadata }) => policies.putNamespace(metadata.name, metadata.labels ?? {}),
    update: (_, { metadata }) => policies.putNamespace(metadata.name, metadata.labels ?? {}),
    delete: ({ metadata }) => policies.putNamespace(metadata.name, undefined),
  })
  const all = new Informer<NetworkPolicy>(api, networkPolicies, { onError })

  let beginning: Promise<void> | undefined
  const begin = async () => {
    await Promise.all([pods.start(signal), namespaces.start(signal)])
    policies.begin()
  }
  let settling: Promise<void> | undefined
  const needed = () => {
    if (beginning) return
    beginning = begin()
    settling = settled(beginning)
  }
  const settled = (work: Promise<void>): Promise<void> => {
    const whole = Promise.race([work, refused])
    const done = () => {
      if (settling === whole) settling = undefined
    }
    // It fails only when the agent ends.
    whole.then(done, done)
    return whole
  }
  all.on({
    add: (policy) => {
      policies.putPolicy(policy)
      needed()
    },
    update: (_, policy) => policies.putPolicy(policy),
    delete: (policy) => policies.removePolicy(policy),
  })
  const known = settled(all.start(signal).then(() => beginning))
  settling ??= known
  return {
    known,
    get settling() {
      return settling
    },
  }
}
