/** The sets and maps of the table that hold elements of many services and pods. */
export type SetName =
  | 'cluster-ips'
  | 'service-ips'
  | 'service-nodeports'
  | 'no-endpoint-services'
  | 'no-endpoint-nodeports'
  | 'firewall-ips'
  | 'hairpin'
  | 'node-ips'
  | 'isolated-in'
  | 'isolated-out'

/** A set of pods that rules of network policies name; see `../policies/rules.ts`. */
export type PeerSetName = `peers/${string}`

export interface Element {
  set: SetName | PeerSetName
  /** As nft writes it: `10.96.0.1 . 6 . 80`. */
  key: string
  /** What a map's element leads to; a set's has none. */
  verdict?: string
}

export interface Chain {
  name: string
  rules: readonly string[]
}

/** A set of addresses. What it is cannot be changed, so it is part of the name. */
export interface OwnSet {
  name: string
  /** Filled by rules, with the clients that stay with one endpoint for so long. */
  timeoutSeconds?: number
  /** With each address a protocol and a port. */
  withPort?: boolean
}

/** What one service (or one concern of the node) puts into the table. Chains and sets are its own by their names. */
export interface Fragment {
  elements: readonly Element[]
  chains: readonly Chain[]
  sets: readonly OwnSet[]
}

/** The way from one state of the table to another; its parts do not overlap. */
export interface Delta {
  addSets: OwnSet[]
  removeSets: string[]
  /** Created if new; emptied and written anew if not. */
  writeChains: Chain[]
  removeChains: string[]
  addElements: Element[]
  removeElements: Element[]
}

/**
 * The wanted contents of the table, service by service. Only what changed since the last {@link take} is looked at again.
 * When two services want the same element (one external address and port, say), the first by name has it, whatever came first
 * in time: so every node decides alike.
 */
export class Ruleset {
  readonly #fragments = new Map<string, Fragment>()
  readonly #claims = new Map<string, Claim[]>()
  /** What the table held, when last taken, of everything touched since. */
  readonly #elementsBefore = new Map<string, Element | undefined>()
  readonly #chainsBefore = new Map<string, Chain | undefined>()
  readonly #setsBefore = new Map<string, OwnSet | undefined>()
  readonly #chains = new Map<string, Chain>()
  readonly #sets = new Map<string, OwnSet>()

  /** Sets what `owner` contributes; undefined takes it out. */
  set(owner: string, fragment: Fragment | undefined): void {
    const old = this.#fragments.get(owner)
    for (const element of old?.elements ?? []) this.#disclaim(owner, element)
    for (const { name } of old?.chains ?? []) change(this.#chains, this.#chainsBefore, name, undefined)
    for (const { name } of old?.sets ?? []) change(this.#sets, this.#setsBefore, name, undefined)
    if (fragment) this.#fragments.set(owner, fragment)
    else this.#fragments.delete(owner)
    for (const element of fragment?.elements ?? []) this.#claim(owner, element)
    for (const chain of fragment?.chains ?? []) change(this.#chains, this.#chainsBefore, chain.name, chain)
    for (const set of fragment?.sets ?? []) change(this.#sets, this.#setsBefore, set.name, set)
  }

  get owners(): IterableIterator<string> {
    return this.#fragments.keys()
  }

  /** What changed since the last take, and counts as done from now on. */
  take(): Delta {
    const delta = emptyDelta()
    for (const [name, before] of this.#setsBefore) {
      const now = this.#sets.get(name)
      if (before && !now) delta.removeSets.push(name)
      if (now && !before) delta.addSets.push(now)
    }
    for (const [name, before] of this.#chainsBefore) {
      const now = this.#chains.get(name)
      if (!now) {
        if (before) delta.removeChains.push(name)
      } else if (!before || !sameRules(before, now)) delta.writeChains.push(now)
    }
    for (const [id, before] of this.#elementsBefore) {
      const now = this.#held(id)
      if (before && now && before.verdict === now.verdict) continue
      if (before) delta.removeElements.push(before)
      if (now) delta.addElements.push(now)
    }
    this.#forget()
    return delta
  }

  /** All of it, as a change from an empty table; counts as taken. */
  takeAll(): Delta {
    this.#forget()
    const delta = emptyDelta()
    delta.addSets.push(...this.#sets.values())
    delta.writeChains.push(...this.#chains.values())
    for (const id of this.#claims.keys()) delta.addElements.push(this.#held(id) as Element)
    return delta
  }

  #claim(owner: string, element: Element): void {
    const id = idOf(element)
    this.#remember(id)
    const claims = this.#claims.get(id)
    if (!claims) this.#claims.set(id, [{ owner, element }])
    else {
      const at = claims.findIndex((claim) => claim.owner > owner)
      claims.splice(at < 0 ? claims.length : at, 0, { owner, element })
    }
  }

  #disclaim(owner: string, element: Element): void {
    const id = idOf(element)
    this.#remember(id)
    const left = (this.#claims.get(id) ?? []).filter((claim) => claim.owner !== owner)
    if (left.length > 0) this.#claims.set(id, left)
    else this.#claims.delete(id)
  }

  #remember(id: string): void {
    if (!this.#elementsBefore.has(id)) this.#elementsBefore.set(id, this.#held(id))
  }

  #held(id: string): Element | undefined {
    return this.#claims.get(id)?.[0]?.element
  }

  #forget(): void {
    this.#elementsBefore.clear()
    this.#chainsBefore.clear()
    this.#setsBefore.clear()
  }
}

/** True when there is nothing to do. */
export function isEmpty(delta: Delta): boolean {
  return Object.values(delta).every((part) => part.length === 0)
}

interface Claim {
  owner: string
  element: Element
}

const idOf = ({ set, key }: Element): string => `${set} ${key}`

const emptyDelta = (): Delta => ({
  addSets: [],
  removeSets: [],
  writeChains: [],
  removeChains: [],
  addElements: [],
  removeElements: [],
})

function change<T>(now: Map<string, T>, before: Map<string, T | undefined>, name: string, value: T | undefined): void {
  if (!before.has(name)) before.set(name, now.get(name))
  if (value === undefined) now.delete(name)
  else now.set(name, value)
}

function sameRules(a: Chain, b: Chain): boolean {
  return a === b || (a.rules.length === b.rules.length && a.rules.every((rule, i) => rule === b.rules[i]))
}
