import { describe, expect, test } from 'vitest'
import type { PodAffinityTerm } from '../../../api/generated/types.ts'
import type { Cache } from '../../cache/cache.ts'
import { CycleState } from '../../framework/cycle-state.ts'
import type { World } from '../../framework/world.ts'
import { type NodeParts, type PodParts, podInfo } from '../../testing/builders.ts'
import { nodeEvent, podEvent, type Scene, tryPlugin } from '../../testing/try-plugin.ts'
import { defaultArgs, type PluginArgs } from '../args.ts'
import { newInterPodAffinity } from './inter-pod-affinity.ts'

const zone = 'topology.kubernetes.io/zone'
const nobodyNear = "node(s) didn't match pod affinity rules"
const unwantedNear = "node(s) didn't match pod anti-affinity rules"
const unwelcome = "node(s) didn't satisfy existing pods anti-affinity rules"

const inZone = (name: string, inside: string): NodeParts => ({ name, labels: { [zone]: inside } })
const nodes = [inZone('a', 'x'), inZone('b', 'x'), inZone('c', 'y'), { name: 'd' }]
const term = (app: string, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  topologyKey: zone,
  labelSelector: { matchLabels: { app } },
  ...more,
})
const near = (...terms: PodAffinityTerm[]): PodParts => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
})
const away = (...terms: PodAffinityTerm[]): PodParts => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
})
const db: PodParts = { name: 'db', uid: 'db', node: 'a', labels: { app: 'db' } }
const all = (verdict: string) => ({ a: verdict, b: verdict, c: verdict, d: verdict })

describe('required affinity', () => {
  test.each<[string, PodParts[], PodParts, object]>([
    [
      'takes the pod to the zone of the other',
      [db],
      near(term('db')),
      { a: 'fits', b: 'fits', c: nobodyNear, d: nobodyNear },
    ],
    ['finds nobody where there is nobody', [], near(term('db')), all(nobodyNear)],
    ['looks only in the pod’s namespace', [{ ...db, namespace: 'other' }], near(term('db')), all(nobodyNear)],
    [
      'looks in the namespaces that are named',
      [{ ...db, namespace: 'other' }],
      near(term('db', { namespaces: ['other'] })),
      { a: 'fits', b: 'fits', c: nobodyNear, d: nobodyNear },
    ],
    [
      'looks in all namespaces where the selector is empty',
      [{ ...db, namespace: 'other' }],
      near(term('db', { namespaceSelector: {} })),
      { a: 'fits', b: 'fits', c: nobodyNear, d: nobodyNear },
    ],
    [
      'lets the first of a group go anywhere with the label',
      [],
      { labels: { app: 'self' }, ...near(term('self')) },
      { a: 'fits', b: 'fits', c: 'fits', d: nobodyNear },
    ],
    [
      'wants one pod that satisfies all terms',
      [db, { ...db, name: 'l', uid: 'l', labels: { app: 'log' } }],
      near(term('db'), term('log')),
      all(nobodyNear),
    ],
  ])('%s', (_what, pods, parts, expected) => {
    expect(tryPlugin(newInterPodAffinity, { nodes, pods }).verdicts(parts)).toEqual(expected)
  })

  test('finds namespaces by their labels', () => {
    const labels: Record<string, object> = { other: { team: 'blue' } }
    const world = { namespaceLabels: (name: string) => (labels[name] ?? {}) as Record<string, string> }
    const { verdicts } = tryPlugin(newInterPodAffinity, { nodes, pods: [{ ...db, namespace: 'other' }], world })
    const inTeam = (team: string) => near(term('db', { namespaceSelector: { matchLabels: { team } } }))
    expect(verdicts(inTeam('blue'))).toMatchObject({ a: 'fits', c: nobodyNear })
    expect(verdicts(inTeam('red'))).toEqual(all(nobodyNear))
  })
})

describe('required anti-affinity', () => {
  test('keeps the pod out of the zone of the other', () => {
    const { verdicts } = tryPlugin(newInterPodAffinity, { nodes, pods: [db] })
    expect(verdicts(away(term('db')))).toEqual({ a: unwantedNear, b: unwantedNear, c: 'fits', d: 'fits' })
  })

  test('of a pod that is there keeps others out', () => {
    const hermit: PodParts = { ...db, ...away(term('web')) }
    const { verdicts, code } = tryPlugin(newInterPodAffinity, { nodes, pods: [hermit] })
    expect(verdicts({ labels: { app: 'web' } })).toEqual({ a: unwelcome, b: unwelcome, c: 'fits', d: 'fits' })
    expect(verdicts({ labels: { app: 'other' } })).toEqual(all('fits'))
    expect(code({ labels: { app: 'web' } })).toBe('Unschedulable')
  })

  test('sees what would be if a pod went', () => {
    const { framework, cache } = tryPlugin(newInterPodAffinity, { nodes, pods: [db] })
    const pod = podInfo(away(term('db')))
    const state = new CycleState()
    framework.preFilter(state, pod, cache.nodes)
    const [a] = cache.nodes.filter(({ name }) => name === 'a')
    const [other] = a?.pods ?? []
    if (!a || !other) throw new Error('the scene lacks its pod')
    const copy = state.copy()
    framework.removePod(copy, pod, other, a)
    expect(framework.filter(copy, pod, a)).toBeUndefined()
    expect(framework.filter(state, pod, a)?.reasons).toEqual([unwantedNear])
    framework.addPod(copy, pod, other, a)
    expect(framework.filter(copy, pod, a)?.reasons).toEqual([unwantedNear])
  })
})

describe('preferences', () => {
  const prefers = (kind: 'podAffinity' | 'podAntiAffinity', app: string, weight = 10): PodParts => ({
    affinity: {
      [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: term(app) }] },
    },
  })
  const scene = (...pods: PodParts[]): Scene => ({ nodes, pods })

  test.each<[string, Scene, PodParts, object]>([
    ['of the pod for others', scene(db), prefers('podAffinity', 'db'), { a: 100, b: 100, c: 0, d: 0 }],
    ['of the pod against others', scene(db), prefers('podAntiAffinity', 'db'), { a: 0, b: 0, c: 100, d: 100 }],
    [
      'of others for the pod',
      scene({ ...db, ...prefers('podAffinity', 'web') }),
      { labels: { app: 'web' } },
      { a: 100, b: 100, c: 0, d: 0 },
    ],
    [
      'of others against the pod',
      scene({ ...db, ...prefers('podAntiAffinity', 'web') }),
      { labels: { app: 'web' } },
      { a: 0, b: 0, c: 100, d: 100 },
    ],
    [
      'of others that must be near the pod',
      scene({ ...db, ...near(term('web')) }),
      { labels: { app: 'web' } },
      { a: 100, b: 100, c: 0, d: 0 },
    ],
    ['of nobody', scene(db), { labels: { app: 'web' } }, { a: 0, b: 0, c: 0, d: 0 }],
  ])('%s count', (_what, where, parts, expected) => {
    expect(tryPlugin(newInterPodAffinity, where).scores(parts)).toEqual(expected)
  })

  test('of others count as an operator says', () => {
    const near2 = { ...db, ...near(term('web')) }
    const make = (args: Partial<PluginArgs['InterPodAffinity']>) => (cache: Cache, world: World) =>
      newInterPodAffinity(cache, world, { ...defaultArgs.InterPodAffinity, ...args })
    const web = { labels: { app: 'web' } }
    const none = { a: 0, b: 0, c: 0, d: 0 }
    expect(tryPlugin(make({ hardPodAffinityWeight: 0 }), scene(near2)).scores(web)).toEqual(none)
    const ignoring = tryPlugin(make({ ignorePreferredTermsOfExistingPods: true }), scene(near2))
    expect(ignoring.scores(web)).toEqual(none)
    expect(ignoring.scores({ ...web, ...prefers('podAffinity', 'nobody') })).toEqual({ a: 100, b: 100, c: 0, d: 0 })
  })
})

describe('a refused pod is worth another try', () => {
  const { isWorthATry } = tryPlugin(newInterPodAffinity)
  const wantsDb: PodParts = { uid: 'me', ...near(term('db')) }
  const fleesDb: PodParts = { uid: 'me', ...away(term('db')) }

  test.each<[boolean, string, PodParts, ReturnType<typeof podEvent>]>([
    [true, 'the other comes', wantsDb, podEvent(db)],
    [false, 'somebody else comes', wantsDb, podEvent({ ...db, labels: {} })],
    [false, 'the other comes, without a node yet', wantsDb, podEvent({ name: 'db', labels: { app: 'db' } })],
    [true, 'somebody turns into the other', wantsDb, podEvent(db, { ...db, labels: {} })],
    [true, 'the other goes that it flees', fleesDb, podEvent(undefined, db)],
    [false, 'somebody else goes', fleesDb, podEvent(undefined, { ...db, labels: {} })],
    [
      true,
      'a pod goes that kept it out',
      { uid: 'me', labels: { app: 'web' } },
      podEvent(undefined, { ...db, ...away(term('web')) }),
    ],
    [true, 'its own labels change', fleesDb, podEvent({ uid: 'me' }, { uid: 'me', labels: { x: 'y' } })],
  ])('%s when %s', (expected, _what, parts, objects) => {
    expect(isWorthATry(parts, 'Pod/Delete', objects)).toBe(expected)
  })

  test.each<[boolean, string, PodParts, ReturnType<typeof nodeEvent>]>([
    [true, 'a node comes with the label', wantsDb, nodeEvent(inZone('n', 'x'))],
    [false, 'a node comes without it', wantsDb, nodeEvent({})],
    [true, 'a node moves', wantsDb, nodeEvent(inZone('n', 'y'), inZone('n', 'x'))],
    [true, 'any node comes', fleesDb, nodeEvent({})],
    [true, 'a node leaves its zone', fleesDb, nodeEvent({}, inZone('n', 'x'))],
    [false, 'a node joins a zone', fleesDb, nodeEvent(inZone('n', 'x'), {})],
  ])('%s when %s', (expected, _what, parts, objects) => {
    expect(isWorthATry(parts, 'Node/UpdateLabel', objects)).toBe(expected)
  })
})
