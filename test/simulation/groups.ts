import type { Pod } from '../../api/generated/types.ts'
import type { Labels } from '../../api/machinery/labels.ts'
import type { Clock, Live } from '../../client/types.ts'
import { hostLabel, zoneLabel } from './hollow-nodes.ts'

const keys = [zoneLabel, hostLabel]

interface Member {
  nodeName: string
  isReady: boolean
}

interface Group {
  members: Map<string, Member>
  ready: number
  /** Those on each node that are there to stay. */
  staying: Map<string, number>
  /** Where one has left at this very moment: nobody can say who saw that first. */
  left: Map<string, number>
  leftAt: number
}

/** How the pods of each group are spread over zones and hosts, and how many of them are ready. */
export class Groups {
  readonly #clock: Clock
  readonly #groups = new Map<string, Group>()
  readonly #labels = new Map<string, Labels>()
  /** By label, how many nodes each of its values has. */
  readonly #domains = new Map(keys.map((key) => [key, new Map<string, number>()]))

  constructor(clock: Clock) {
    this.#clock = clock
  }

  setNode(name: string, labels: Labels | undefined): void {
    for (const [key, domains] of this.#domains) {
      const [before, after] = [this.#labels.get(name)?.[key], labels?.[key]]
      if (before === after) continue
      if (before !== undefined) count(domains, before, -1)
      if (after !== undefined) count(domains, after, 1)
    }
    if (labels) this.#labels.set(name, labels)
    else this.#labels.delete(name)
  }

  setPod(name: string, { metadata, spec, status }: Live<Pod>, isEnded: boolean): void {
    const uid = metadata.uid ?? ''
    const group = this.#groupOf(name)
    const before = group.members.get(uid)
    const isStaying = !isEnded && metadata.deletionTimestamp === undefined
    const after: Member | undefined = isStaying
      ? {
          nodeName: spec?.nodeName ?? '',
          isReady: status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
        }
      : undefined
    group.ready += Number(after?.isReady ?? false) - Number(before?.isReady ?? false)
    if (before?.nodeName !== after?.nodeName) {
      if (before?.nodeName) {
        count(group.staying, before.nodeName, -1)
        count(this.#leftNow(group), before.nodeName, 1)
      }
      if (after?.nodeName) count(group.staying, after.nodeName, 1)
    }
    if (after) group.members.set(uid, after)
    else group.members.delete(uid)
    if (group.members.size === 0) this.#groups.delete(name)
  }

  readyIn(name: string): number {
    return this.#groupOf(name).ready
  }

  /** How far the domain would be ahead of the emptiest one with one more pod of the group in it. */
  skewWithOneMore(name: string, key: string, domain: string): number {
    const group = this.#groupOf(name)
    const counts = this.#byDomain(key, group.staying)
    const mostly = this.#byDomain(key, this.#leftNow(group))
    for (const [other, number] of counts) count(mostly, other, number)
    const domains = this.#domains.get(key) as Map<string, number>
    const least = mostly.size < domains.size ? 0 : Math.min(...mostly.values())
    return (counts.get(domain) ?? 0) + 1 - least
  }

  #byDomain(key: string, byNode: ReadonlyMap<string, number>): Map<string, number> {
    const counts = new Map<string, number>()
    for (const [node, number] of byNode) {
      const domain = this.#labels.get(node)?.[key]
      if (domain !== undefined) count(counts, domain, number)
    }
    return counts
  }

  #leftNow(group: Group): Map<string, number> {
    if (group.leftAt !== this.#clock.now()) {
      group.leftAt = this.#clock.now()
      group.left.clear()
    }
    return group.left
  }

  #groupOf(name: string): Group {
    let group = this.#groups.get(name)
    if (!group) {
      group = { members: new Map(), ready: 0, staying: new Map(), left: new Map(), leftAt: 0 }
      this.#groups.set(name, group)
    }
    return group
  }
}

function count(counts: Map<string, number>, name: string, by: number): void {
  const sum = (counts.get(name) ?? 0) + by
  if (sum === 0) counts.delete(name)
  else counts.set(name, sum)
}
