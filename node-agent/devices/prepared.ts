import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ClaimName } from './drivers.ts'

/** A claim that drivers have been asked to make ready, or are about to be. */
export interface PreparedClaim extends ClaimName {
  /** The uids of the pods that use it here. */
  pods: string[]
  drivers: string[]
  /** All of its drivers have answered. */
  done: boolean
  devices: { driver: string; pool: string; device: string; requests: string[]; cdi: string[] }[]
}

/** What a node has made ready, kept in a file: an agent that restarts must know what to undo. */
export class PreparedClaims {
  readonly #file: string
  readonly #claims = new Map<string, PreparedClaim>()
  #writing: Promise<void> = Promise.resolve()

  constructor(file: string) {
    this.#file = file
  }

  /** Reads what an earlier agent has left. Throws an Error for a file that cannot be understood. */
  async recall(): Promise<void> {
    let text: string
    try {
      text = await readFile(this.#file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    for (const claim of (JSON.parse(text) as { claims: PreparedClaim[] }).claims) this.#claims.set(keyOf(claim), claim)
  }

  get(namespace: string, name: string): PreparedClaim | undefined {
    return this.#claims.get(keyOf({ namespace, name }))
  }

  of(podUid: string): PreparedClaim[] {
    return [...this.#claims.values()].filter(({ pods }) => pods.includes(podUid))
  }

  get pods(): ReadonlySet<string> {
    return new Set([...this.#claims.values()].flatMap(({ pods }) => pods))
  }

  /** Resolves when the claim, as it is by then, is on the disk. */
  async set(claim: PreparedClaim): Promise<void> {
    this.#claims.set(keyOf(claim), claim)
    await this.#save()
  }

  async delete(claim: PreparedClaim): Promise<void> {
    this.#claims.delete(keyOf(claim))
    await this.#save()
  }

  #save(): Promise<void> {
    const saving = this.#writing.catch(() => undefined).then(() => this.#write())
    this.#writing = saving
    return saving
  }

  async #write(): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true })
    const fresh = `${this.#file}.new`
    await writeFile(fresh, `${JSON.stringify({ claims: [...this.#claims.values()] })}\n`, { mode: 0o600, flush: true })
    await rename(fresh, this.#file)
  }
}

const keyOf = ({ namespace, name }: Pick<ClaimName, 'namespace' | 'name'>): string => `${namespace}/${name}`
