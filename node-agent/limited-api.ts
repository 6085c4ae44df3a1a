import type {
  Api,
  DeleteOptions,
  GetOptions,
  Key,
  ListOptions,
  Patch,
  ResourceRef,
  SubmitOptions,
  Submittable,
  WatchOptions,
  WriteOptions,
} from '../client/types.ts'

/**
 * The API with only so many requests under way at once, watches not counted; the others wait their turn. Thirty pods that
 * start together would open a hundred connections, and each costs both sides a handshake.
 */
export class LimitedApi implements Api {
  readonly #api: Api
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(api: Api, limit: number) {
    this.#api = api
    this.#free = limit
  }

  get<T>(ref: ResourceRef<T>, key: Key, options?: GetOptions) {
    return this.#turn(() => this.#api.get(ref, key, options))
  }

  list<T>(ref: ResourceRef<T>, options?: ListOptions) {
    return this.#turn(() => this.#api.list(ref, options))
  }

  watch<T>(ref: ResourceRef<T>, options: WatchOptions) {
    return this.#api.watch(ref, options)
  }

  create<T>(ref: ResourceRef<T>, object: T, options?: WriteOptions) {
    return this.#turn(() => this.#api.create(ref, object, options))
  }

  update<T>(ref: ResourceRef<T>, object: T, options?: WriteOptions) {
    return this.#turn(() => this.#api.update(ref, object, options))
  }

  patch<T>(ref: ResourceRef<T>, key: Key, patch: Patch, options?: WriteOptions) {
    return this.#turn(() => this.#api.patch(ref, key, patch, options))
  }

  delete<T>(ref: ResourceRef<T>, key: Key, options?: DeleteOptions) {
    return this.#turn(() => this.#api.delete(ref, key, options))
  }

  deleteCollection<T>(ref: ResourceRef<T>, selection: ListOptions, options?: DeleteOptions) {
    return this.#turn(() => this.#api.deleteCollection(ref, selection, options))
  }

  post<R>(ref: ResourceRef, key: Key, subresource: string, body: object, options?: WriteOptions) {
    return this.#turn(() => this.#api.post<R>(ref, key, subresource, body, options))
  }

  /** Those that come together travel as one anyway. */
  submit(ref: ResourceRef, object: Submittable, options?: SubmitOptions) {
    return this.#api.submit(ref, object, options)
  }

  read<R>(path: string, options?: { query?: Record<string, string>; signal?: AbortSignal }) {
    return this.#turn(() => this.#api.read<R>(path, options))
  }

  discover: Api['discover'] = (...args) => this.#turn(() => this.#api.discover(...args))

  async #turn<R>(work: () => Promise<R>): Promise<R> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      // Handed on rather than given back: who waits longest is next.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
