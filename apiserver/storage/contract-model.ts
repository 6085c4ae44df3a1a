import { expect } from 'vitest'
import type { Subject } from './contract.ts'
import { gather } from './contract-tools.ts'
import type { Change, Entry, Revision } from './store.ts'
import { Compacted, Conflict } from './store.ts'

const keys = ['/a', '/a/', '/a/b', '/ab', '/b', '/c/x', '/c/y']
const prefixes = ['/', '/a', '/a/', '/c/', '/d']
const steps = 40

interface State {
  revision: Revision
  entries: Map<string, Entry>
}

/** Runs commands drawn from `random` against the store and against a plain list of states, and compares throughout. */
export async function runModel(subject: Subject, random: Iterator<number>): Promise<void> {
  const model = new Model(random)
  await model.run(subject)
}

class Model {
  readonly #random: Iterator<number>
  /** Every state since the start, oldest first. */
  #states: State[] = []
  #compacted: Revision = 0

  constructor(random: Iterator<number>) {
    this.#random = random
  }

  async run(subject: Subject): Promise<void> {
    this.#states = [{ revision: await subject.store.revision(), entries: new Map() }]
    for (let step = 0; step < steps; step++) {
      const command = this.#pick(20)
      if (command < 11) await this.#commit(subject)
      else if (command < 13) await this.#get(subject)
      else if (command < 16) await this.#list(subject)
      else if (command < 18) await this.#watch(subject)
      else if (command === 18) await this.#compact(subject)
      else await this.#reopen(subject)
    }
    await this.#watch(subject)
  }

  #pick(below: number): number {
    return (this.#random.next().value as number) % below
  }

  get #now(): State {
    return this.#states[this.#states.length - 1]!
  }

  #some(): State {
    return this.#states[this.#pick(this.#states.length)]!
  }

  async #commit({ store }: Subject): Promise<void> {
    const chosen = new Set(Array.from({ length: 1 + this.#pick(3) }, () => keys[this.#pick(keys.length)]!))
    const changes = [...chosen].map((key) => this.#change(key))
    const obstacle = changes.find(({ key, expect: wanted }) => {
      const standing = this.#now.entries.get(key)
      if (wanted === 'any') return false
      return wanted === 'absent' ? standing !== undefined : standing?.modRevision !== wanted
    })
    const outcome = await store.commit(changes).catch((error: unknown) => error)
    if (obstacle) {
      expect(outcome).toBeInstanceOf(Conflict)
      expect(outcome).toMatchObject({ key: obstacle.key })
      expect((outcome as Conflict).entry).toEqual(this.#now.entries.get(obstacle.key))
      return
    }
    expect(outcome).toBeTypeOf('number')
    this.#apply(changes, outcome as Revision)
  }

  #change(key: string): Change {
    const standing = this.#now.entries.get(key)
    const wanted = [standing?.modRevision ?? 'absent', 'any', 'absent', this.#some().revision] as const
    const value = this.#pick(4) === 0 ? null : Buffer.from(`${key} ${this.#pick(1000)}`)
    return { key, value, expect: wanted[[0, 0, 1, 1, 2, 3][this.#pick(6)]!]! }
  }

  #apply(changes: readonly Change[], revision: Revision): void {
    const before = this.#now
    const isEffective = changes.some((change) => change.value || before.entries.has(change.key))
    if (!isEffective) {
      expect(revision).toBe(before.revision)
      return
    }
    expect(revision).toBeGreaterThan(before.revision)
    const entries = new Map(before.entries)
    for (const { key, value } of changes) {
      const createRevision = entries.get(key)?.createRevision ?? revision
      if (value) entries.set(key, { key, value: value as Buffer, createRevision, modRevision: revision })
      else entries.delete(key)
    }
    this.#states.push({ revision, entries })
  }

  async #get({ store }: Subject): Promise<void> {
    const key = keys[this.#pick(keys.length)]!
    const state = this.#some()
    const outcome = await store.get(key, state.revision).catch((error: unknown) => error)
    if (state.revision < this.#compacted) expect(outcome).toBeInstanceOf(Compacted)
    else expect(outcome).toEqual(state.entries.get(key))
    expect(await store.get(key)).toEqual(this.#now.entries.get(key))
  }

  async #list({ store }: Subject): Promise<void> {
    const prefix = prefixes[this.#pick(prefixes.length)]!
    const state = this.#pick(3) === 0 ? this.#now : this.#some()
    const after = this.#pick(2) === 0 ? undefined : keys[this.#pick(keys.length)]!
    const limit = 1 + this.#pick(8)
    const options = { limit, at: state.revision, ...(after === undefined ? {} : { after }) }
    const outcome = await store.list(prefix, options).catch((error: unknown) => error)
    if (state.revision < this.#compacted) return expect(outcome).toBeInstanceOf(Compacted)
    const all = [...state.entries.values()]
      .filter((entry) => entry.key.startsWith(prefix) && (after === undefined || entry.key > after))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    expect(outcome).toEqual({
      entries: all.slice(0, limit),
      revision: state.revision,
      more: all.length > limit,
      remaining: all.length > limit ? all.length - limit : -1,
    })
  }

  async #watch({ store }: Subject): Promise<void> {
    const from = this.#states.indexOf(this.#some())
    const after = this.#states[from]!.revision
    const expected = this.#states.slice(from + 1).flatMap((state, i) => differences(this.#states[from + i]!, state))
    if (expected.length === 0 && after >= this.#compacted) return
    const outcome = await gather(store, '/', after, (events) => events.length === expected.length).catch(
      (error: unknown) => error,
    )
    if (after < this.#compacted) return expect(outcome).toBeInstanceOf(Compacted)
    const seen = (outcome as { revision: number; key: string; type: string }[])
      .map((event) => `${event.revision} ${event.type} ${event.key}`)
      .sort()
    expect(seen).toEqual(expected.sort())
  }

  async #compact({ store }: Subject): Promise<void> {
    const { revision } = this.#some()
    await store.compact(revision)
    this.#compacted = Math.max(this.#compacted, revision)
  }

  async #reopen(subject: Subject): Promise<void> {
    const store = await subject.reopen()
    expect(await store.revision()).toBe(this.#now.revision)
    expect((await store.list('')).entries.map((entry) => entry.key)).toEqual([...this.#now.entries.keys()].sort())
  }
}

function differences(before: State, after: State): string[] {
  const touched = [...new Set([...before.entries.keys(), ...after.entries.keys()])]
  return touched
    .filter((key) => before.entries.get(key)?.modRevision !== after.entries.get(key)?.modRevision)
    .map((key) => `${after.revision} ${after.entries.has(key) ? 'put' : 'delete'} ${key}`)
}
