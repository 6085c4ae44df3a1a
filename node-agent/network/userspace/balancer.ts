import type { Backend } from '../services/backends.ts'

/** Chooses where a client goes: by chance, or where it went before while that is remembered and still serves. */
export class Balancer {
  #backends: readonly Backend[] = []
  #affinityMs: number | undefined
  readonly #clients = new Map<string, { place: string; until: number }>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  set(backends: readonly Backend[], affinitySeconds: number | undefined): void {
    this.#backends = backends
    this.#affinityMs = affinitySeconds === undefined ? undefined : affinitySeconds * 1000
    const places = new Set(backends.map(placeOf))
    const now = this.#now()
    for (const [client, { place, until }] of this.#clients)
      if (this.#affinityMs === undefined || until <= now || !places.has(place)) this.#clients.delete(client)
  }

  /** One of the backends but those in `tried`; undefined when none is left. */
  pick(client: string, tried: ReadonlySet<Backend> = none): Backend | undefined {
    const left = tried.size > 0 ? this.#backends.filter((backend) => !tried.has(backend)) : this.#backends
    const remembered = this.#clients.get(client)
    const now = this.#now()
    const known = remembered && remembered.until > now && left.find((backend) => placeOf(backend) === remembered.place)
    const picked = known || left[Math.floor(Math.random() * left.length)]
    if (picked && this.#affinityMs !== undefined)
      this.#clients.set(client, { place: placeOf(picked), until: now + this.#affinityMs })
    return picked
  }

  has(backend: Backend): boolean {
    const place = placeOf(backend)
    return this.#backends.some((known) => placeOf(known) === place)
  }
}

const none: ReadonlySet<Backend> = new Set()

const placeOf = ({ ip, port }: Backend): string => `${ip} ${port}`
