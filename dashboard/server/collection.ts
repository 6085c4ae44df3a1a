import type { KubeObject } from '../../api/machinery/object.ts'
import { keyOf } from './kinds.ts'
import { ask, openSocket, ServerError } from './request.ts'

/** How far one has got: nothing yet, all and changes as they come, cut off for now, or not for this user. */
export type Phase = 'loading' | 'live' | 'broken' | 'refused'

interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: KubeObject & { code?: number; message?: string }
}

/** Objects of one path, and how far one has got with them. */
export interface View<T extends KubeObject = KubeObject> {
  readonly items: ReadonlyMap<string, T>
  readonly phase: Phase
  /** Why it is refused or broken. */
  readonly message: string
  /** Another number whenever something is different. */
  readonly version: number
}

/** Those who draw are told at most this often, however much changes. */
const tellMs = 100
const lingerMs = 20_000
const longestWaitMs = 10_000
const initialEnd = 'k8s.io/initial-events-end'

/** All objects of one path as they stand, followed by a watch for as long as somebody looks. */
export class Collection<T extends KubeObject = KubeObject> implements View<T> {
  readonly items = new Map<string, T>()
  phase: Phase = 'loading'
  /** Why it is refused or broken. */
  message = ''
  /** Grows with every change. */
  version = 0
  readonly #path: string
  readonly #listeners = new Set<() => void>()
  #socket: WebSocket | undefined
  #revision = ''
  /** Keys seen since a list was begun anew; those not among them are gone. */
  #seen: Set<string> | undefined
  #failures = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #leaving: ReturnType<typeof setTimeout> | undefined
  #telling: ReturnType<typeof setTimeout> | undefined
  #toldMs = 0

  constructor(path: string) {
    this.#path = path
  }

  /** Follows the path until the last listener has left, and a while longer. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    clearTimeout(this.#leaving)
    if (!this.#socket && this.#retry === undefined) this.#open()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#leaving = setTimeout(() => this.close(), lingerMs)
    }
  }

  close(): void {
    clearTimeout(this.#retry)
    clearTimeout(this.#telling)
    this.#retry = undefined
    const socket = this.#socket
    this.#socket = undefined
    socket?.close()
  }

  #open(): void {
    const again = this.#revision !== ''
    const query = new URLSearchParams({ watch: 'true', allowWatchBookmarks: 'true' })
    if (again) query.set('resourceVersion', this.#revision)
    else {
      query.set('sendInitialEvents', 'true')
      query.set('resourceVersionMatch', 'NotOlderThan')
      this.#seen = new Set()
    }
    const separator = this.#path.includes('?') ? '&' : '?'
    const socket = openSocket(`${this.#path}${separator}${query}`, 'json.k8s.io')
    let opened = false
    this.#socket = socket
    socket.onopen = () => {
      opened = true
      if (!again) return
      this.phase = 'live'
      this.#tell()
    }
    socket.onmessage = ({ data }: MessageEvent<string>) => this.#take(JSON.parse(data) as WatchEvent)
    socket.onclose = () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      if (opened) this.#openAgain()
      // A socket does not tell why it was refused; a plain request does.
      else void this.#learnWhy()
    }
  }

  async #learnWhy(): Promise<void> {
    try {
      const separator = this.#path.includes('?') ? '&' : '?'
      await ask(`${this.#path}${separator}limit=1`)
      this.message = 'the watch was cut off'
    } catch (error) {
      this.message = (error as Error).message
      if (error instanceof ServerError && (error.code === 403 || error.code === 404)) {
        this.phase = 'refused'
        this.items.clear()
        this.#tell()
        return
      }
      if (error instanceof ServerError && error.code === 401) return
    }
    this.#openAgain()
  }

  #openAgain(): void {
    if (this.#listeners.size === 0) return
    const waitMs = this.#failures === 0 ? 0 : Math.min(500 * 2 ** (this.#failures - 1), longestWaitMs)
    this.#failures++
    if (this.#failures > 1) {
      this.phase = 'broken'
      this.message ||= 'the connection was cut off'
      this.#tell()
    }
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#open()
    }, waitMs)
  }

  #take({ type, object }: WatchEvent): void {
    if (type === 'ERROR') {
      // What is missed is no longer known to the server: all is asked for again.
      this.#revision = ''
      return
    }
    this.#failures = 0
    this.#revision = object.metadata.resourceVersion ?? this.#revision
    if (type === 'BOOKMARK') {
      if (object.metadata.annotations?.[initialEnd] !== 'true') return
      const seen = this.#seen
      this.#seen = undefined
      for (const key of this.items.keys()) if (!seen?.has(key)) this.items.delete(key)
      this.phase = 'live'
      this.message = ''
      this.#tell()
      return
    }
    const key = keyOf(object)
    if (type === 'DELETED') this.items.delete(key)
    else {
      // Half of an object, and nobody looks at it here.
      delete object.metadata.managedFields
      this.items.set(key, object as T)
      this.#seen?.add(key)
    }
    // Half a list is not drawn, so nobody needs to know of it.
    if (this.phase !== 'loading') this.#tell()
  }

  #tell(): void {
    this.version++
    if (this.#telling !== undefined) return
    const waitMs = Math.max(0, this.#toldMs + tellMs - performance.now())
    this.#telling = setTimeout(() => {
      this.#telling = undefined
      this.#toldMs = performance.now()
      for (const listener of this.#listeners) listener()
    }, waitMs)
  }
}

const collections = new Map<string, Collection>()

/** The collection of a path, the same for all who ask. */
export function collectionAt<T extends KubeObject>(path: string): Collection<T> {
  let found = collections.get(path)
  if (!found) {
    found = new Collection(path)
    collections.set(path, found)
  }
  return found as unknown as Collection<T>
}

/** Forgets all: another user sees other things. */
export function forgetCollections(): void {
  for (const collection of collections.values()) collection.close()
  collections.clear()
}
