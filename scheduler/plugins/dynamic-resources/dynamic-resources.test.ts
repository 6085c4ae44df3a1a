import { describe, expect, it } from 'vitest'
import { resourceClaims } from '../../../client/resources.ts'
import { FakeClock } from '../../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../../client/testing/memory-api.ts'
import type { Claim } from '../../dra/device-world.ts'
import { CycleState } from '../../framework/cycle-state.ts'
import { PodInfo } from '../../framework/pod-info.ts'
import { deviceWorld, type PodParts, pod } from '../../testing/builders.ts'
import { allocated, cel, claim, deviceClass, devices, slice } from '../../testing/devices.ts'
import { podEvent, tryPlugin } from '../../testing/try-plugin.ts'
import { newDynamicResources } from './dynamic-resources.ts'

const nodes = [{ name: 'a' }, { name: 'b' }]
const using = (...claims: string[]): PodParts => ({
  resourceClaims: claims.map((name) => ({ name, resourceClaimName: name })),
})
const templated = (status: PodParts['status'] = {}): PodParts => ({
  resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }],
  status,
})
const made = { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'pod-gpu-x' }] }
const owned = (uid: string): Claim => {
  const its = claim('pod-gpu-x')
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'pod', uid, controller: true }
  return { ...its, metadata: { ...its.metadata, ownerReferences: [owner] } }
}
const scene = (
  { api = new MemoryApi(), ...parts }: Parameters<typeof deviceWorld>[0] & { api?: MemoryApi } = {},
  args?: Parameters<typeof newDynamicResources>[1],
) => {
  const world = deviceWorld({ classes: [deviceClass()], slices: [slice('a', devices('g', 1))], ...parts })
  const clock = new FakeClock()
  const tried = tryPlugin(
    (_cache, all) =>
      newDynamicResources({ api, clock, world: all, stopping: new AbortController().signal, onError: () => {} }, args),
    { nodes, world: { devices: world } },
  )
  return { ...tried, world }
}

it('looks for devices on a node for so long only', () => {
  const exactly = (count: number) => ({ deviceClassName: 'gpus', count })
  const hopeless = claim('c', {
    requests: [
      { name: 'many', exactly: exactly(10) },
      { name: 'one', exactly: exactly(1) },
    ],
    constraints: [{ matchAttribute: 'gpu.example.com/nobody-has-it', requests: ['one'] }],
  })
  const slices = [slice('a', devices('g', 24))]
  const { verdicts } = scene({ slices, claims: [hopeless] }, { filterTimeout: '10ms' })
  expect(() => verdicts(using('c'))).toThrow('timed out trying to allocate devices')
})

describe('a pod with claims', () => {
  it.each<[string, PodParts, Claim[], ReturnType<ReturnType<typeof scene>['verdicts']>]>([
    ['goes where its devices can be', using('c'), [claim('c')], { a: 'fits', b: 'cannot allocate all claims' }],
    [
      'goes where the devices are that its claim has',
      using('c'),
      [claim('c', undefined, { allocation: allocated('g-0', 'b') })],
      { a: 'resourceclaim not available on the node', b: 'fits' },
    ],
    [
      'goes nowhere while another has the device',
      using('c'),
      [claim('c'), claim('other', undefined, { allocation: allocated('g-0') })],
      { a: 'cannot allocate all claims', b: 'cannot allocate all claims' },
    ],
    ['needs its claims', using('c'), [], 'resourceclaim.resource.k8s.io "c" not found'],
    ['waits for claims from templates', templated(), [], 'pod "default/pod": ResourceClaim not created yet'],
    [
      "takes nobody else's claim",
      templated(made),
      [owned('another')],
      'ResourceClaim default/pod-gpu-x was not created for Pod default/pod (Pod is not owner)',
    ],
    [
      'uses the claim that was made for it',
      templated(made),
      [owned('uid-of-default-pod')],
      { a: 'fits', b: 'cannot allocate all claims' },
    ],
    [
      'takes no claim that is going',
      using('c'),
      [{ ...claim('c'), metadata: { ...claim('c').metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }],
      'resourceclaim "c" is being deleted',
    ],
    [
      'needs the classes of its requests',
      using('c'),
      [claim('c', { requests: [{ name: 'gpu', firstAvailable: [{ name: 'x', deviceClassName: 'no' }] }] })],
      'request gpu/x: device class no does not exist',
    ],
  ])('%s', (_what, parts, claims, expected) => {
    expect(scene({ claims }).verdicts(parts)).toEqual(expected)
  })

  it('waits while another pod is on its way to a node with its claim', () => {
    const { world, verdicts } = scene({ claims: [claim('c'), claim('d')] })
    world.taken.promise('uid-of-c', allocated('g-0'))
    expect(verdicts(using('c'))).toBe('resource claim default/c is in the process of being allocated')
    expect(verdicts(using('d'))).toEqual({ a: 'cannot allocate all claims', b: 'cannot allocate all claims' })
    world.taken.release('uid-of-c')
    expect(verdicts(using('d'))).toMatchObject({ a: 'fits' })
  })

  it('is tried again when something has changed that it waits for', () => {
    const had = claim('other', undefined, { allocation: allocated('g-0') })
    const { isWorthATry } = scene({ claims: [claim('c'), claim('other'), owned('uid-of-default-pod')] })
    const changed = (before: Claim | undefined, after: Claim) => ({ object: { ...(before ? { before } : {}), after } })
    expect(isWorthATry(using('c'), 'ResourceClaim/Add', changed(undefined, claim('c')))).toBe(true)
    expect(isWorthATry(using('c'), 'ResourceClaim/Add', changed(undefined, claim('other')))).toBe(false)
    expect(isWorthATry(using('no'), 'ResourceClaim/Add', changed(undefined, claim('c')))).toBe(false)
    expect(isWorthATry(using('c'), 'ResourceClaim/Update', changed(had, claim('other')))).toBe(true)
    expect(isWorthATry(using('c'), 'ResourceClaim/Update', changed(claim('c'), claim('c')))).toBe(false)
    expect(
      isWorthATry(
        using('c'),
        'ResourceClaim/Update',
        changed(claim('c'), claim('c', undefined, { allocation: allocated('g-0') })),
      ),
    ).toBe(true)
    const event = podEvent(templated(made), templated())
    expect(isWorthATry(templated(), 'Pod/UpdateGeneratedResourceClaim', event)).toBe(true)
    expect(isWorthATry({ ...templated(), uid: 'another' }, 'Pod/UpdateGeneratedResourceClaim', event)).toBe(false)
  })
})

it('a pod without claims is left to others', () => {
  const { plugin, verdicts } = scene()
  expect(verdicts({})).toEqual({ a: 'fits', b: 'fits' })
  expect(pod({}).spec?.resourceClaims).toBeUndefined()
  expect(plugin.name).toBe('DynamicResources')
})

describe('what is chosen for a pod', () => {
  const either = (...alternatives: string[]) => ({
    requests: [{ name: 'gpu', firstAvailable: alternatives.map((each) => ({ name: each, deviceClassName: each })) }],
  })
  /** A pod that has been filtered on both nodes. */
  const filtered = (parts: PodParts, of: Parameters<typeof scene>[0]) => {
    const tried = scene(of)
    const [state, info] = [new CycleState(), new PodInfo(pod(parts))]
    const { plugin, cache } = tried
    tried.framework.preFilter(state, info, cache.nodes)
    for (const each of cache.nodes) tried.framework.filter(state, info, each)
    return { ...tried, plugin, state, info, score: () => cache.nodes.map((each) => plugin.score?.(state, info, each)) }
  }

  it('counts the more, the further at the front it is', () => {
    const classes = [deviceClass('fast', { selectors: cel('device.driver == "nobody"') }), deviceClass('slow')]
    const parts = using('c', 'd', 'e')
    const { score } = filtered(parts, {
      classes,
      slices: [slice('a', devices('g', 3))],
      claims: [claim('c', either('fast', 'slow')), claim('d', either('slow')), claim('e', { requests: [] })],
    })
    expect(score()).toEqual([15, 0])
  })

  it('counts also where a claim has its devices already', () => {
    const chosen = allocated('g-0')
    const request = 'gpu/x'
    const results = (chosen.devices?.results ?? []).map((each) => ({ ...each, request }))
    const held = claim('c', either('w', 'x'), { allocation: { devices: { results } } })
    expect(filtered(using('c'), { claims: [held] }).score()).toEqual([7, 7])
  })

  it('is promised until the pod is bound or turned away', () => {
    const { plugin, state, info, world } = filtered(using('c'), { claims: [claim('c')] })
    plugin.reserve?.(state, info, 'a')
    expect(world.taken.isPromised('uid-of-c')).toBe(true)
    plugin.unreserve?.(state, info, 'a')
    expect(world.taken.isPromised('uid-of-c')).toBe(false)
    expect(() => plugin.reserve?.(state, info, 'b')).toThrow('claim allocation not found for node')
  })

  it('is given up where it keeps the pod from every node and nobody else uses it', async () => {
    const status = { allocation: allocated('g-0', 'elsewhere') }
    const other = { resource: 'pods', name: 'other', uid: 'uid-of-another' }
    const tried = async (mine: Claim, ...others: Claim[]) => {
      const api = new MemoryApi()
      const { resourceVersion: _, ...metadata } = mine.metadata
      const made = (await api.create(resourceClaims, { ...mine, metadata })) as Claim
      const { plugin, state, info } = filtered(using('c', ...others.map((each) => each.metadata.name)), {
        claims: [made, ...others],
        api,
      })
      const said = await plugin.postFilter?.(state, info, new Map() as never)
      await new Promise(setImmediate)
      return [said, api.objects(resourceClaims)[0]?.status]
    }
    expect(await tried(claim('c', undefined, { ...status, reservedFor: [other] }))).toEqual([
      { message: 'still not schedulable' },
      { ...status, reservedFor: [other] },
    ])
    const near = claim('near', undefined, { allocation: allocated('g-0', 'a') })
    expect(await tried(claim('c', undefined, status), near)).toEqual([
      { message: 'deallocation of ResourceClaim completed' },
      {},
    ])
  })
})
