import { invalidSinceLabel, tokenTrackingMap } from '../../api/authentication/legacy-token.ts'
import type { ConfigMap, Secret, ServiceAccount } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { configMaps, secrets, serviceAccounts } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { podInformer } from '../pods/pod-index.ts'
import { tokenSecretType } from '../serviceaccount-token/plan.ts'
import type { ControllerDeps } from '../types.ts'
import { dateOf, isAccountOf, isTrackedFor, planLegacyToken, secretsOf, type TokenWorld } from './plan.ts'

const periodMs = 24 * 3_600_000

/** Takes away tokens that were made automatically and that nobody uses, once a day. */
export function newLegacyTokenCleaner({ api, clock, informers, log, options }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'legacy_service_account_token_cleaner' })
  const accounts = informers.for<ServiceAccount>(serviceAccounts)
  const pods = podInformer(informers)
  const unusedMs = options.legacyTokenCleanUpPeriodMs

  async function trackedSince(signal: AbortSignal): Promise<string | undefined> {
    try {
      const map: Live<ConfigMap> = await api.get(
        configMaps,
        { namespace: 'kube-system', name: tokenTrackingMap },
        { signal },
      )
      return map.data?.since
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async function act(secret: Live<Secret>, plan: 'mark' | 'remove', signal: AbortSignal): Promise<void> {
    const { namespace, name, uid, resourceVersion = '' } = secret.metadata
    log.info({ secret: `${namespace}/${name}`, plan }, 'nobody uses this token of a service account')
    try {
      if (plan === 'remove') {
        await api.delete(secrets, { namespace, name }, { preconditions: { resourceVersion }, signal })
      } else {
        const body = { metadata: { uid, labels: { [invalidSinceLabel]: dateOf(clock.now()) } } }
        await api.patch<Secret>(secrets, { namespace, name }, { type: 'merge', body }, { signal })
      }
    } catch (error) {
      // Somebody has just used or changed it.
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }

  return {
    name: 'legacy-serviceaccount-token-cleaner',
    workers: 1,
    queue,
    start: () => queue.add('all'),
    async reconcile(_, signal) {
      const now = clock.now()
      if (!isTrackedFor(await trackedSince(signal), unusedMs, now)) return { requeueAfterMs: periodMs }
      const world: TokenWorld = {
        accountOf: (secret) =>
          accounts.lister.list(secret.metadata.namespace).find((account) => isAccountOf(secret, account)),
        isUsedByPods: ({ metadata: { namespace, name } }) =>
          pods.lister.list(namespace).some((pod) => secretsOf(pod).includes(name)),
      }
      // Once a day: nothing to be kept in memory for.
      const { items } = await api.list(secrets, { fieldSelector: `type=${tokenSecretType}`, signal })
      for (const secret of items) {
        const plan = planLegacyToken(secret, world, unusedMs, now)
        if (plan !== 'keep') await act(secret, plan, signal)
      }
      return { requeueAfterMs: periodMs }
    },
  }
}
