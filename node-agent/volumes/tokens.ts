import type { TokenRequestStatus } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import { serviceAccounts } from '../../client/resources.ts'
import type { Api, Clock } from '../../client/types.ts'
import type { BoundPod } from '../pods/types.ts'
import type { TokenSource } from './types.ts'

const dayMs = 24 * 3600 * 1000
const maxJitterMs = 10_000

interface Held {
  token: string
  refreshAt: number
  expiresAt: number
}

/** Tokens bound to pods, asked of the API server and kept until 80 % of their life, or a day, is over. */
export class PodTokens implements TokenSource {
  readonly #api: Api
  readonly #clock: Clock
  readonly #held = new Map<string, Held>()

  constructor(api: Api, clock: Clock) {
    this.#api = api
    this.#clock = clock
  }

  async token(pod: BoundPod, audience: string, expirationSeconds: number): Promise<Held> {
    const { uid } = pod.metadata
    const account = pod.spec.serviceAccountName || 'default'
    const key = `${uid}/${account}/${audience}/${expirationSeconds}`
    const held = this.#held.get(key)
    const now = this.#clock.now()
    if (held && now < held.refreshAt) return held
    try {
      const fresh = await this.#request(pod, account, audience, expirationSeconds)
      this.#held.set(key, fresh)
      return fresh
    } catch (error) {
      // The old one still works: try again in a while.
      if (held && now < held.expiresAt) return { ...held, refreshAt: now + 30_000 }
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`failed to fetch token: ${why}`)
    }
  }

  forget(uid: string): void {
    for (const key of this.#held.keys()) if (key.startsWith(`${uid}/`)) this.#held.delete(key)
  }

  async #request({ metadata }: BoundPod, account: string, audience: string, expirationSeconds: number): Promise<Held> {
    const now = this.#clock.now()
    const answer = await this.#api.post<{ status?: TokenRequestStatus }>(
      serviceAccounts,
      { namespace: metadata.namespace, name: account },
      'token',
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: audience === '' ? [] : [audience],
          expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid: metadata.uid },
        },
      },
    )
    const { token = '', expirationTimestamp = '' } = answer.status ?? {}
    const expiresAt = parseTime(expirationTimestamp) ?? now + expirationSeconds * 1000
    const jitter = Math.random() * maxJitterMs
    const refreshAt = Math.min(now + 0.8 * (expiresAt - now), now + dayMs) - jitter
    return { token, expiresAt, refreshAt }
  }
}
