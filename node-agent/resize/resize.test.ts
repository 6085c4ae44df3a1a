import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Pod } from '../../api/generated/types.ts'
import { pods } from '../../client/resources.ts'
import { container } from '../testing/builders.ts'
import { PodRig } from '../testing/pod-rig.ts'

let rig: PodRig

beforeEach(async () => {
  rig = new PodRig()
  rig.node = { metadata: { name: 'n1' }, status: { allocatable: { cpu: '2', memory: '4Gi', pods: '10' } } }
  await rig.startAgent()
})

afterEach(() => rig.close())

const amounts = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } })
const spec = (cpu: string, memory = '1Gi', more: object = {}) => ({
  containers: [container('main', { resources: amounts(cpu, memory), ...more })],
})
const status = async (name: string) => (await rig.get(name))?.status
const condition = async (name: string, type: string) =>
  (await status(name))?.conditions?.find((candidate) => candidate.type === type)
const running = (name: string) => async () => (await status(name))?.phase === 'Running'
const shown = async (name: string) => (await status(name))?.containerStatuses?.[0]?.resources

async function resize(name: string, cpu: string, memory = '1Gi'): Promise<void> {
  const pod = (await rig.get(name)) as Pod & { metadata: { generation?: number } }
  const containers = pod.spec?.containers.map((each) => ({ ...each, resources: amounts(cpu, memory) }))
  const body = { metadata: { generation: (pod.metadata.generation ?? 1) + 1 }, spec: { containers } }
  await rig.api.patch(pods, { namespace: 'default', name }, { type: 'merge', body })
}
const has = (name: string, cpu: string) => async () => (await shown(name))?.limits?.cpu === cpu

async function start(name: string, ...given: Parameters<typeof spec>): Promise<void> {
  await rig.create(name, spec(...given))
  await rig.until('running', running(name))
}

describe('a pod that is to have another size', () => {
  it('gets it while it runs, and tells of it', async () => {
    await start('web', '500m')
    rig.told.length = 0
    await resize('web', '1', '2Gi')
    await rig.until('resized', has('web', '1'))
    await rig.until('told', () => rig.reasons().includes('ResizeCompleted'))
    expect(rig.reasons()).toEqual(['ResizeStarted', 'ResizeCompleted'])
    expect(rig.cri.running()[0]?.resources).toMatchObject({
      cpuShares: 1024,
      cpuQuota: 100_000,
      memoryLimitInBytes: 2 ** 31,
    })
    const { containerStatuses, conditions } = (await status('web')) ?? {}
    expect(containerStatuses?.[0]).toMatchObject({ allocatedResources: { cpu: '1', memory: '2Gi' }, restartCount: 0 })
    expect(conditions?.filter(({ type }) => type.startsWith('PodResize'))).toEqual([])
  })

  it('starts a container anew where its policy says so', async () => {
    const resizePolicy = [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }]
    await start('web', '500m', '1Gi', { resizePolicy })
    await resize('web', '1')
    await rig.until('restarted', async () => (await status('web'))?.containerStatuses?.[0]?.restartCount === 1)
    await rig.until('resized', has('web', '1'))
    expect(rig.told.map(({ message }) => message)).toContain('Container main resize requires restart')
    await rig.until('told', () => rig.reasons().includes('ResizeCompleted'))
  })

  it('waits for room, running as it was, until another goes', async () => {
    await start('web', '500m')
    await start('other', '1')
    await resize('web', '1500m')
    await rig.until('deferred', async () => (await condition('web', 'PodResizePending')) !== undefined)
    expect(await condition('web', 'PodResizePending')).toMatchObject({ status: 'True', reason: 'Deferred' })
    expect((await shown('web'))?.limits?.cpu).toBe('500m')
    await rig.delete('other')
    await rig.until('resized', has('web', '1500m'), 20_000)
    await rig.until('no longer pending', async () => (await condition('web', 'PodResizePending')) === undefined)
    expect(rig.reasons().filter((reason) => reason === 'ResizeDeferred')).toHaveLength(1)
  })

  it('waits for what another is to give back', async () => {
    await start('web', '500m')
    await start('other', '1500m')
    await resize('web', '1')
    await rig.until('deferred', async () => (await condition('web', 'PodResizePending')) !== undefined)
    await resize('other', '500m')
    await rig.until('both resized', async () => (await has('web', '1')()) && (await has('other', '500m')()))
  })

  it('never gets more than the node has', async () => {
    await start('web', '500m')
    await resize('web', '3')
    await rig.until('refused', async () => (await condition('web', 'PodResizePending'))?.reason === 'Infeasible')
    await resize('web', '500m')
    await rig.until('taken back', async () => (await condition('web', 'PodResizePending')) === undefined)
  })

  it('keeps its memory while more of it is in use, and says so', async () => {
    await start('web', '500m', '2Gi')
    rig.cri.memoryInUse.set('main', 2 ** 30)
    await resize('web', '500m', '512Mi')
    await rig.until('told', async () => (await condition('web', 'PodResizeInProgress'))?.reason === 'Error')
    expect((await condition('web', 'PodResizeInProgress'))?.message).toMatch(/below current usage \(1073741824\)$/)
    expect(rig.cri.running()[0]?.resources?.memoryLimitInBytes ?? 2 ** 31).toBe(2 ** 31)
    rig.cri.memoryInUse.clear()
    await rig.until('resized', async () => (await shown('web'))?.limits?.memory === '512Mi')
    expect(rig.reasons().filter((reason) => reason === 'ResizeError')).toHaveLength(1)
  })
})

describe('an agent that starts again', () => {
  it('knows what was granted, though the specification asks for more', async () => {
    await start('web', '500m')
    await start('other', '1')
    await resize('web', '1500m')
    await rig.until('deferred', async () => (await condition('web', 'PodResizePending')) !== undefined)
    await rig.startAgent()
    await rig.pass(10_000)
    expect((await shown('web'))?.limits?.cpu).toBe('500m')
    expect(rig.cri.running().every(({ resources }) => resources === undefined)).toBe(true)
    await rig.delete('other')
    await rig.until('resized', has('web', '1500m'))
  })

  it('knows what was granted to containers that were made with something else', async () => {
    await start('web', '500m')
    await start('other', '1')
    await resize('web', '1')
    await rig.until('told', () => rig.reasons().includes('ResizeCompleted'))
    await resize('web', '1500m')
    await rig.until('deferred', async () => (await condition('web', 'PodResizePending')) !== undefined)
    await rig.startAgent()
    await rig.pass(10_000)
    expect((await shown('web'))?.limits?.cpu).toBe('1')
    expect((await status('web'))?.containerStatuses?.[0]?.allocatedResources?.cpu).toBe('1')
  })

  it('sees what was asked for while it was away', async () => {
    await start('web', '500m')
    await rig.stopAgent()
    await resize('web', '1')
    await rig.startAgent()
    await rig.until('resized', has('web', '1'))
    expect(rig.reasons()).toContain('ResizeStarted')
  })
})
