import { readFileSync } from 'node:fs'
import { legacyTokenClaims } from '../../api/authentication/legacy-token.ts'
import { loadSigningKey, type SigningKey, signClaims } from '../../api/authentication/signing-keys.ts'
import type { Secret, ServiceAccount } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { secrets as secretRef, serviceAccounts } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { accountNameAnnotation, accountUidAnnotation, base64, isTokenOf, planToken, tokenSecretType } from './plan.ts'

/** Names the objects of a key as they were when it was added: a namesake made since is another. */
type Key =
  | { of: 'account'; namespace: string; name: string; uid: string }
  | { of: 'secret'; namespace: string; name: string; uid: string; account: string; accountUid: string }

/**
 * Fills secrets that are to hold a token of a service account, and removes them when their account has gone. A secret
 * that goes is taken off the account that lists it.
 */
export function newServiceAccountTokenController({
  api,
  clock,
  informers,
  log,
  options,
}: ControllerDeps): Controller[] {
  const { serviceAccountPrivateKeyFile: keyFile, rootCaFile, apiServerCa } = options
  if (keyFile === '') {
    log.info('no secret is filled with a token: --service-account-private-key-file names no key')
    return []
  }
  const key: SigningKey = loadSigningKey(readFileSync(keyFile, 'utf8'))
  const rootCa = rootCaFile === '' ? apiServerCa : readFileSync(rootCaFile, 'utf8')
  const queue = new WorkQueue({ clock, name: 'serviceaccount_tokens_secret' })
  const add = (entry: Key) => queue.add(JSON.stringify(entry))
  const accounts = informers.for<ServiceAccount>(serviceAccounts)
  // Only these: a cluster's secrets are many and large.
  const secrets = informers.own<Secret>(secretRef, { fieldSelector: `type=${tokenSecretType}` })

  const identityOf = ({ metadata: { namespace = '', name, uid = '' } }: { metadata: Live<unknown>['metadata'] }) => ({
    namespace,
    name,
    uid,
  })
  const addSecret = (secret: Live<Secret>) => {
    const { [accountNameAnnotation]: account = '', [accountUidAnnotation]: accountUid = '' } =
      secret.metadata.annotations ?? {}
    if (account !== '') add({ of: 'secret', ...identityOf(secret), account, accountUid })
  }
  accounts.on({ delete: (account) => add({ of: 'account', ...identityOf(account) }) })
  secrets.on({ add: addSecret, update: (_, after) => addSecret(after), delete: addSecret })

  const goneIsFine = (error: unknown) => {
    if (!isConflict(error) && !isNotFound(error)) throw error
  }
  const cachedAccount = (namespace: string, name: string, uid: string) => {
    const found = accounts.lister.get(namespace, name)
    return found && (uid === '' || found.metadata.uid === uid) ? found : undefined
  }
  async function liveAccount(namespace: string, name: string, uid: string, signal: AbortSignal) {
    try {
      const found = await api.get(serviceAccounts, { namespace, name }, { signal })
      return uid === '' || found.metadata.uid === uid ? found : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
  const remove = ({ metadata }: Live<Secret>, signal: AbortSignal) =>
    api
      .delete(
        secretRef,
        { namespace: metadata.namespace, name: metadata.name },
        { ...(metadata.uid ? { preconditions: { uid: metadata.uid } } : {}), signal },
      )
      .catch(goneIsFine)

  async function fill(cached: Live<Secret>, account: Live<ServiceAccount>, signal: AbortSignal): Promise<void> {
    const { namespace, name } = cached.metadata
    // What was filled in by others since must not be filled in again: each token is another.
    const secret = await api.get(secretRef, { namespace, name }, { signal })
    const plan = planToken(secret, account, rootCa)
    if (secret.metadata.resourceVersion !== cached.metadata.resourceVersion || plan.do !== 'fill') return
    const token = plan.sign ? { token: base64(await signClaims(key, legacyTokenClaims(account, secret))) } : {}
    await api.update(secretRef, { ...plan.secret, data: { ...plan.secret.data, ...token } }, { signal })
  }

  async function forgetSecret({ namespace, name, account, accountUid }: Key & { of: 'secret' }, signal: AbortSignal) {
    const found = await liveAccount(namespace, account, accountUid, signal)
    if (!found?.secrets?.some((reference) => reference.name === name)) return
    const references = found.secrets.filter((reference) => reference.name !== name)
    await api.update(serviceAccounts, { ...found, secrets: references }, { signal })
  }

  async function syncSecret(entry: Key & { of: 'secret' }, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid, account, accountUid } = entry
    const secret = secrets.lister.get(namespace, name)
    if (!secret || (uid !== '' && secret.metadata.uid !== uid)) {
      await forgetSecret(entry, signal)
      return
    }
    const owner =
      cachedAccount(namespace, account, accountUid) ?? (await liveAccount(namespace, account, accountUid, signal))
    const plan = planToken(secret, owner, rootCa)
    if (plan.do === 'delete') await remove(secret, signal)
    else if (plan.do === 'fill' && owner) await fill(secret, owner, signal).catch(goneIsFine)
  }

  return [
    {
      name: 'serviceaccount-token',
      workers: options.workers['serviceaccount-token'] ?? 5,
      queue,
      start: (signal) => secrets.start(signal),
      async reconcile(text, signal) {
        const entry = JSON.parse(text) as Key
        if (entry.of === 'secret') await syncSecret(entry, signal)
        else if (!cachedAccount(entry.namespace, entry.name, entry.uid)) {
          const tokens = secrets.lister.list(entry.namespace).filter((secret) => isTokenOf(secret, entry))
          for (const secret of tokens) await remove(secret, signal)
        }
        return undefined
      },
    },
  ]
}
