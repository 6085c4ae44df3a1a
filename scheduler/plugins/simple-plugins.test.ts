import { describe, expect, test } from 'vitest'
import { CycleState } from '../framework/cycle-state.ts'
import { type PodParts, podInfo } from '../testing/builders.ts'
import { nodeEvent, podEvent, tryPlugin } from '../testing/try-plugin.ts'
import { newImageLocality } from './image-locality.ts'
import { newNodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { taintToleration } from './taint-toleration.ts'

const tolerateCordon = [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }]

describe('NodeName', () => {
  test('a pod that names its node fits there alone', () => {
    const { verdicts } = tryPlugin(nodeName, { nodes: [{ name: 'a' }, { name: 'b' }] })
    expect(verdicts({ node: 'b' })).toEqual({ a: "node(s) didn't match the requested node name", b: 'fits' })
    expect(verdicts({})).toEqual({ a: 'fits', b: 'fits' })
  })
})

describe('NodeUnschedulable', () => {
  test('a cordoned node takes only pods that tolerate it', () => {
    const { verdicts } = tryPlugin(nodeUnschedulable, { nodes: [{ name: 'a' }, { name: 'b', unschedulable: true }] })
    expect(verdicts({})).toEqual({ a: 'fits', b: 'node(s) were unschedulable' })
    expect(verdicts({ tolerations: tolerateCordon })).toEqual({ a: 'fits', b: 'fits' })
  })

  test.each<[boolean, string, ReturnType<typeof nodeEvent>]>([
    [true, 'an open node comes', nodeEvent({})],
    [false, 'a cordoned node comes', nodeEvent({ unschedulable: true })],
    [true, 'a node is uncordoned', nodeEvent({}, { unschedulable: true })],
    [false, 'an open node changes', nodeEvent({}, {})],
  ])('%s for another try when %s', (expected, _what, objects) => {
    expect(tryPlugin(nodeUnschedulable).isWorthATry({}, 'Node/UpdateTaint', objects)).toBe(expected)
  })

  test('a toleration that it gets makes another try worthwhile, if it is the right one', () => {
    const { isWorthATry } = tryPlugin(nodeUnschedulable)
    const changed = (tolerations: PodParts['tolerations'] & object) => podEvent({ tolerations }, {})
    expect(isWorthATry({}, 'Pod/UpdateToleration', changed(tolerateCordon))).toBe(true)
    expect(isWorthATry({}, 'Pod/UpdateToleration', changed([{ key: 'x', operator: 'Exists' }]))).toBe(false)
  })
})

describe('TaintToleration', () => {
  const taints = [{ key: 'team', value: 'blue', effect: 'NoSchedule' }]
  const blue = [{ key: 'team', value: 'blue' }]

  test('a taint keeps pods off that do not tolerate it', () => {
    const { verdicts, code } = tryPlugin(taintToleration, { nodes: [{ name: 'a', taints }] })
    expect(verdicts({})).toEqual({ a: 'node(s) had untolerated taint(s)' })
    expect(code({})).toBe('UnschedulableAndUnresolvable')
    expect(verdicts({ tolerations: blue })).toEqual({ a: 'fits' })
  })

  test('fewer soft taints that it does not tolerate score better', () => {
    const soft = (...keys: string[]) => keys.map((key) => ({ key, effect: 'PreferNoSchedule' }))
    const { scores } = tryPlugin(taintToleration, {
      nodes: [{ name: 'none' }, { name: 'one', taints: soft('x') }, { name: 'two', taints: soft('y', 'z') }],
    })
    expect(scores({})).toEqual({ none: 100, one: 50, two: 0 })
    expect(scores({ tolerations: [{ key: 'y', operator: 'Exists' }] })).toEqual({ none: 100, one: 0, two: 0 })
  })

  test.each<[boolean, string, ReturnType<typeof nodeEvent>]>([
    [true, 'a node comes without a taint', nodeEvent({})],
    [false, 'a node comes with one', nodeEvent({ taints })],
    [true, 'a node loses one', nodeEvent({}, { taints })],
    [false, 'a node had none before either', nodeEvent({}, {})],
  ])('%s for another try when %s', (expected, _what, objects) => {
    expect(tryPlugin(taintToleration).isWorthATry({}, 'Node/Add', objects)).toBe(expected)
  })
})

describe('NodeAffinity', () => {
  const nodes = [
    { name: 'a', labels: { disk: 'ssd', zone: 'x' } },
    { name: 'b', labels: { disk: 'hdd', zone: 'x' } },
  ]
  const no = "node(s) didn't match Pod's node affinity/selector"
  const requires = (...nodeSelectorTerms: object[]): PodParts => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  })
  const byName = (...values: string[]) => ({ matchFields: [{ key: 'metadata.name', operator: 'In', values }] })
  const byLabel = (key: string, ...values: string[]) => ({ matchExpressions: [{ key, operator: 'In', values }] })

  test.each<[string, PodParts, object | string]>([
    ['nothing', {}, { a: 'fits', b: 'fits' }],
    ['a label by nodeSelector', { nodeSelector: { disk: 'ssd' } }, { a: 'fits', b: no }],
    ['a label by affinity', requires(byLabel('disk', 'hdd')), { a: no, b: 'fits' }],
    ['both', { nodeSelector: { zone: 'x' }, ...requires(byLabel('disk', 'hdd')) }, { a: no, b: 'fits' }],
    ['both, at odds', { nodeSelector: { disk: 'ssd' }, ...requires(byLabel('disk', 'hdd')) }, { a: no, b: no }],
    ['a node by name', requires(byName('b')), { a: no, b: 'fits' }],
    ['no term', requires(), { a: no, b: no }],
    [
      'two names at once',
      requires({ matchFields: [...byName('a').matchFields, ...byName('b').matchFields] }),
      'pod affinity terms conflict',
    ],
  ])('a pod that asks for %s', (_what, parts, expected) => {
    expect(tryPlugin(newNodeAffinity(), { nodes }).verdicts(parts)).toEqual(expected)
  })

  test('only the nodes that are named need be looked at', () => {
    const { framework, cache } = tryPlugin(newNodeAffinity(), { nodes })
    const named = (...terms: object[]) => {
      const outcome = framework.preFilter(new CycleState(), podInfo(requires(...terms)), cache.nodes)
      return !outcome.refusal && outcome.nodes ? [...outcome.nodes].sort() : 'all'
    }
    expect(named(byName('a'))).toEqual(['a'])
    expect(named(byName('a'), byName('c'))).toEqual(['a', 'c'])
    expect(named(byName('a'), byLabel('disk', 'ssd'))).toBe('all')
  })

  test('nodes that it prefers score by the weight of what they match', () => {
    const preferred = [
      { weight: 30, preference: byLabel('disk', 'ssd') },
      { weight: 10, preference: byLabel('zone', 'x') },
    ]
    const parts = { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } } }
    expect(tryPlugin(newNodeAffinity(), { nodes }).scores(parts)).toEqual({ a: 100, b: 25 })
  })

  test('what an operator adds holds for every pod, beside its own', () => {
    const added = {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [byLabel('disk', 'ssd')] },
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: byName('a') }],
    }
    const { verdicts, scores, isWorthATry } = tryPlugin(newNodeAffinity({ addedAffinity: added }), { nodes })
    expect(verdicts({})).toMatchObject({ a: 'fits', b: "node(s) didn't match scheduler-enforced node affinity" })
    expect(scores({})).toMatchObject({ a: 100, b: 0 })
    expect(isWorthATry({}, 'Node/Add', nodeEvent({ labels: { disk: 'ssd' } }))).toBe(true)
    expect(isWorthATry({}, 'Node/Add', nodeEvent({}))).toBe(false)
  })

  test.each<[boolean, string, ReturnType<typeof nodeEvent>]>([
    [true, 'a node comes that matches', nodeEvent({ labels: { disk: 'ssd' } })],
    [false, 'a node comes that does not', nodeEvent({})],
    [true, 'a node gets the label', nodeEvent({ labels: { disk: 'ssd' } }, {})],
    [false, 'a node has had it before', nodeEvent({ labels: { disk: 'ssd' } }, { labels: { disk: 'ssd', x: 'y' } })],
  ])('%s for another try when %s', (expected, _what, objects) => {
    const { isWorthATry } = tryPlugin(newNodeAffinity())
    expect(isWorthATry({ nodeSelector: { disk: 'ssd' } }, 'Node/UpdateLabel', objects)).toBe(expected)
  })
})

describe('NodePorts', () => {
  const port = (hostPort: number, more: object = {}): PodParts => ({
    containers: [{ name: 'main', ports: [{ containerPort: 80, hostPort, ...more }] }],
  })
  const taken = "node(s) didn't have free ports for the requested pod ports"

  test.each<[string, PodParts, PodParts, string]>([
    ['the same port', port(80), port(80), taken],
    ['another port', port(80), port(81), 'fits'],
    ['the same port of another protocol', port(80), port(80, { protocol: 'UDP' }), 'fits'],
    ['the same port on another address', port(80, { hostIP: '10.0.0.1' }), port(80, { hostIP: '10.0.0.2' }), 'fits'],
    ['the same port on the same address', port(80, { hostIP: '10.0.0.1' }), port(80, { hostIP: '10.0.0.1' }), taken],
    ['the port on any address, taken on one', port(80, { hostIP: '10.0.0.1' }), port(80), taken],
    ['the port on one address, taken on any', port(80), port(80, { hostIP: '10.0.0.1' }), taken],
    ['no port', port(80), {}, 'fits'],
  ])('a pod that wants %s', (_what, there, wanted, verdict) => {
    const scene = { nodes: [{ name: 'a' }], pods: [{ name: 'there', node: 'a', ...there }] }
    expect(tryPlugin(nodePorts, scene).verdicts(wanted)).toEqual({ a: verdict })
  })

  test('a sidecar takes ports as containers do, an init container does not', () => {
    const init = (restartPolicy?: string): PodParts => ({
      initContainers: [
        { name: 'init', ports: [{ containerPort: 1, hostPort: 80 }], ...(restartPolicy ? { restartPolicy } : {}) },
      ],
    })
    const scene = { nodes: [{ name: 'a' }], pods: [{ name: 'there', node: 'a', ...port(80) }] }
    expect(tryPlugin(nodePorts, scene).verdicts(init('Always'))).toEqual({ a: taken })
    expect(tryPlugin(nodePorts, scene).verdicts(init())).toEqual({ a: 'fits' })
  })

  test('only a pod that goes with the port makes another try worthwhile', () => {
    const { isWorthATry } = tryPlugin(nodePorts)
    const gone = (parts: PodParts) => podEvent(undefined, { name: 'gone', ...parts })
    expect(isWorthATry(port(80), 'Pod/Delete', gone({ node: 'a', ...port(80) }))).toBe(true)
    expect(isWorthATry(port(80), 'Pod/Delete', gone({ node: 'a', ...port(81) }))).toBe(false)
    expect(isWorthATry(port(80), 'Pod/Delete', gone(port(80)))).toBe(false)
  })
})

describe('ImageLocality', () => {
  const mb = 1024 * 1024
  const uses = (...images: string[]): PodParts => ({
    containers: images.map((image, i) => ({ name: `c${i}`, image })),
  })
  const nodes = [
    { name: 'a', images: [{ names: ['web:1'], sizeBytes: 2000 * mb }] },
    { name: 'b', images: [{ names: ['db:latest', 'other:2'], sizeBytes: 300 * mb }] },
  ]

  test.each<[string, PodParts, object]>([
    ['an image that one of two nodes has counts half', uses('web:1'), { a: 100, b: 0 }],
    ['a name without a tag means the latest', uses('db'), { a: 0, b: 12 }],
    ['an image that nobody has says nothing', uses('new:1'), { a: 0, b: 0 }],
    ['with more containers, each counts less', uses('web:1', 'db'), { a: 49, b: 6 }],
  ])('%s', (_what, parts, expected) => {
    expect(tryPlugin(newImageLocality, { nodes }).scores(parts)).toEqual(expected)
  })
})
