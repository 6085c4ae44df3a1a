import type { ObjectVersion } from '../../api/gantry/object-version.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { View } from './collection.ts'
import { type Kind, keyOf } from './kinds.ts'
import { ask, askJson, ServerError } from './request.ts'

const root = '/apis/gantry.dev/v1'

/** The first and the last moment that can be shown, in milliseconds. */
export interface Reach {
  oldestMs: number
  newestMs: number
}

interface Moments {
  oldest: { time?: string }
  newest: { time?: string }
  items: { time?: string }[]
}

/** How far back one can look. */
export async function askReach(): Promise<Reach> {
  const { oldest, newest } = await askJson<Moments>(`${root}/moments`)
  const newestMs = Date.parse(newest.time ?? '') || Date.now()
  if (oldest.time === undefined) {
    // It reaches back to when there was nothing. The first that there was has a time.
    const { items } = await askJson<Moments>(`${root}/moments?at=2`)
    return { oldestMs: Date.parse(items[0]?.time ?? '') || newestMs, newestMs }
  }
  // The server counts in microseconds: the millisecond in which history begins may be before it.
  return { oldestMs: Date.parse(oldest.time) + 1, newestMs }
}

/** The versions of an object, the newest first; those before `before`, where there are more. */
export function askVersions(
  kind: Kind,
  namespace: string,
  name: string,
  before = '',
): Promise<{ items: ObjectVersion[]; more?: boolean }> {
  const query = new URLSearchParams({ resource: resourceOf(kind), name, values: 'false', limit: '50' })
  if (before !== '') query.set('before', before)
  return askJson(`${scoped(namespace)}/histories?${query}`)
}

/** An object's manifest as it was. */
export const askPastManifest = (
  kind: Kind,
  namespace: string,
  name: string,
  atMs: number,
  signal: AbortSignal,
): Promise<string> => ask(pastPath(kind, namespace, atMs, { name }), { accept: 'application/yaml', signal })

/** A change of a workload by somebody. */
export interface Change {
  type: string
  resource: string
  time?: string
  user?: string
  manager?: string
  subresource?: string
  object: KubeObject
}

/** What was done to workloads, the newest first; what controllers only note of them is left out. */
export async function askChanges(namespace: string, sinceMs: number): Promise<Change[]> {
  const query = new URLSearchParams({
    from: timeOf(sinceMs),
    resource: 'deployments.apps,statefulsets.apps,daemonsets.apps,cronjobs.batch,jobs.batch',
    objects: 'false',
  })
  const text = await ask(`${scoped(namespace)}/changes?${query}`)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Change)
    .filter(
      ({ type, subresource = '', user = '' }) =>
        type !== 'END' && (subresource === '' || subresource === 'scale') && !user.startsWith('system:'),
    )
    .reverse()
}

const kept = new Map<string, Promise<View>>()
const mostKept = 40

/** All objects of a kind as they were at a moment. Views that ask for the same share the answer. */
export function pastView(kind: Kind, namespace: string, query: string, atMs: number): Promise<View> {
  const path = pastPath(kind, namespace, atMs, Object.fromEntries(new URLSearchParams(query)))
  let found = kept.get(path)
  if (!found) {
    found = read(path)
    kept.set(path, found)
    const [oldest] = kept.keys()
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
  }
  return found
}

/** Forgets all: another user sees other things. */
export const forgetPast = (): void => kept.clear()

async function read(path: string): Promise<View> {
  const items = new Map<string, KubeObject>()
  try {
    const list = await askJson<{ items: KubeObject[] }>(path)
    for (const object of list.items) items.set(keyOf(object), object)
    return { items, phase: 'live', message: '', version: 0 }
  } catch (error) {
    kept.delete(path)
    const hidden = error instanceof ServerError && (error.code === 403 || error.code === 404)
    return { items, phase: hidden ? 'refused' : 'broken', message: (error as Error).message, version: 0 }
  }
}

const scoped = (namespace: string): string =>
  namespace === '' ? root : `${root}/namespaces/${encodeURIComponent(namespace)}`
const resourceOf = ({ group, plural }: Kind): string => (group === '' ? plural : `${plural}.${group}`)
const timeOf = (ms: number): string => new Date(ms).toISOString()

function pastPath(kind: Kind, namespace: string, atMs: number, more: Record<string, string>): string {
  const query = new URLSearchParams({ resource: resourceOf(kind), at: timeOf(atMs), ...more })
  return `${scoped(kind.namespaced ? namespace : '')}/pastobjects?${query}`
}
