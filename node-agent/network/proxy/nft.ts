import type { Run } from '../command.ts'
import { type Fragment, isEmpty, Ruleset } from './ruleset.ts'
import { deltaScript } from './script.ts'
import { type TableOptions, tableScript } from './table.ts'

/**
 * The table in the kernel, kept equal to what is wanted: each {@link apply} is one transaction that holds only what changed.
 * After a failure, and at first, the whole table is written, as one transaction too: traffic never meets half of it.
 */
export class NftTable {
  readonly #run: Run
  readonly #now: () => number
  readonly #wanted = new Ruleset()
  #options: TableOptions
  /** Chains that were emptied, and when. */
  readonly #stale = new Map<string, number>()
  #known = false

  constructor(options: TableOptions, run: Run, now: () => number) {
    this.#options = options
    this.#run = run
    this.#now = now
  }

  /** Sets what `owner` puts into the table from the next {@link apply} on; undefined takes it out. */
  set(owner: string, fragment: Fragment | undefined): void {
    this.#wanted.set(owner, fragment)
  }

  get owners(): IterableIterator<string> {
    return this.#wanted.owners
  }

  /** Changes the frame of the table; the next {@link apply} writes all of it. */
  reframe(options: Partial<TableOptions>): void {
    this.#options = { ...this.#options, ...options }
    this.#known = false
  }

  /** Brings the kernel to the wanted state. Throws a CommandError; the next call then starts afresh. */
  async apply(): Promise<void> {
    const { table, family } = this.#options
    if (!this.#known) return this.#replace()
    const delta = this.#wanted.take()
    const old = this.#staleChains()
    for (const { name } of delta.writeChains) this.#stale.delete(name)
    const deletable = old.filter((name) => this.#stale.has(name))
    if (isEmpty(delta) && deletable.length === 0) return
    try {
      await this.#nft(deltaScript(delta, table, family, deletable))
    } catch {
      // Somebody changed the table, or it is gone: what is wanted is known, so say it all.
      return this.#replace()
    }
    for (const name of deletable) this.#stale.delete(name)
    for (const name of delta.removeChains) this.#stale.set(name, this.#now())
  }

  /** True while the table is in the kernel; when somebody took it away, the next {@link apply} brings it back. */
  async isThere(): Promise<boolean> {
    const { table, family } = this.#options
    const listed = await this.#run('nft', ['list', 'tables', family === 'IPv4' ? 'ip' : 'ip6'])
    const there = listed.split('\n').some((line) => line.trim().split(' ')[2] === table)
    if (!there) this.#known = false
    return there
  }

  async remove(): Promise<void> {
    const { table, family } = this.#options
    this.#known = false
    const name = `${family === 'IPv4' ? 'ip' : 'ip6'} ${table}`
    await this.#nft(`add table ${name}\ndelete table ${name}\n`)
  }

  async #replace(): Promise<void> {
    this.#known = false
    this.#stale.clear()
    const { table, family } = this.#options
    await this.#nft(tableScript(this.#options) + deltaScript(this.#wanted.takeAll(), table, family))
    this.#known = true
  }

  #staleChains(): string[] {
    const before = this.#now() - staleMs
    return [...this.#stale].filter(([, since]) => since <= before).map(([name]) => name)
  }

  async #nft(script: string): Promise<void> {
    await this.#run('nft', ['-f', '-'], { input: script })
  }
}

/** Long enough for any kernel to see that no map refers to a chain any more. */
const staleMs = 1000
