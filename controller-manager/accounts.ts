import type { AuthenticationV1TokenRequest, ServiceAccount } from '../api/generated/types.ts'
import { Client } from '../client/client.ts'
import type { Credential } from '../client/config.ts'
import { isAlreadyExists, isNotFound } from '../client/errors.ts'
import { serviceAccounts } from '../client/resources.ts'
import type { Api } from '../client/types.ts'
import type { ControllerEntry } from './types.ts'

const namespace = 'kube-system'
/** As upstream's manager asks for. */
const lifetimeSeconds = 3600
/** A token is renewed with a fifth of its life left, so that no request is made with one that is about to end. */
const usedPart = 0.8

/** Clients of the controllers, and what closes them. */
export interface Accounts {
  of(entry: ControllerEntry): Api
  close(): void
}

/**
 * With --use-service-account-credentials each controller is the service account of kube-system that upstream's policy has
 * rights for; else all are the manager itself.
 */
export function accountsOf(manager: Client, isUsed: boolean): Accounts {
  const clients = new Map<string, Client>()
  const { cert: _cert, key: _key, token: _token, tokenFile: _file, exec: _exec, ...server } = manager.config
  return {
    of({ name, account = name }) {
      if (!isUsed || account === '') return manager
      const known = clients.get(account)
      if (known) return known
      const login = () => tokenOf(manager, account)
      const userAgent = `${server.userAgent}/${account}`
      const client = new Client({ ...server, userAgent, login })
      clients.set(account, client)
      return client
    },
    close() {
      for (const client of clients.values()) client.close()
    },
  }
}

/** A token of a service account, which is made where it is not there yet. */
export async function tokenOf(api: Api, account: string, now: () => number = Date.now): Promise<Credential> {
  const key = { namespace, name: account }
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: [], expirationSeconds: lifetimeSeconds },
  }
  const ask = () => api.post<AuthenticationV1TokenRequest>(serviceAccounts, key, 'token', body)
  const askedAt = now()
  const { status } = await ask().catch(async (error: unknown) => {
    if (!isNotFound(error)) throw error
    await api.create<ServiceAccount>(serviceAccounts, { metadata: key }).catch((failure: unknown) => {
      if (!isAlreadyExists(failure)) throw failure
    })
    return ask()
  })
  if (!status?.token || !status.expirationTimestamp)
    throw new Error(`the server gave no token to the service account ${namespace}/${account}`)
  const livesMs = Date.parse(status.expirationTimestamp) - askedAt
  return { token: status.token, expiresAt: askedAt + livesMs * usedPart }
}
