import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pods } from '../../client/resources.ts'
import { PodRig } from '../testing/pod-rig.ts'

let rig: PodRig

beforeEach(async () => {
  rig = new PodRig()
  await rig.startAgent()
})

afterEach(() => rig.close())

const phaseIs = (name: string, phase: string) => async () => (await rig.get(name))?.status?.phase === phase
const mainStatus = async (name: string) => (await rig.get(name))?.status?.containerStatuses?.[0]
const isReady = (name: string) => async () =>
  (await rig.get(name))?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
const only = () => rig.cri.running()[0]?.id ?? ''

describe('a pod', () => {
  it('runs, and says so with its address', async () => {
    await rig.create('web')
    await rig.until('ready', isReady('web'))
    expect((await rig.get('web'))?.status).toMatchObject({ phase: 'Running', hostIP: '192.0.2.1' })
    expect((await rig.get('web'))?.status?.podIP).toMatch(/^10\.244\./)
    expect(rig.reasons()).toEqual(['Created', 'Started'])
  })

  it('is restarted when it ends, ever later, and then says that it waits', async () => {
    await rig.create('web')
    await rig.until('ready', isReady('web'))
    rig.cri.exit(only(), 1)
    await rig.until('restarted at once', async () => (await mainStatus('web'))?.restartCount === 1, 2000)
    rig.cri.exit(only(), 1)
    await rig.until(
      'waiting',
      async () => (await mainStatus('web'))?.state?.waiting?.reason === 'CrashLoopBackOff',
      3000,
    )
    expect((await mainStatus('web'))?.state?.waiting?.message).toMatch(
      /^back-off 10s restarting failed container=main pod=web_default\(/,
    )
    const before = rig.clock.now()
    await rig.until('restarted', () => rig.cri.running().length === 1)
    expect(rig.clock.now() - before).toBeGreaterThan(8000)
    rig.cri.exit(only(), 1)
    await rig.until('waiting longer', async () => /20s/.test((await mainStatus('web'))?.state?.waiting?.message ?? ''))
  })

  it('begins when the network policies hold that select it, and not before', async () => {
    const asked: string[] = []
    let hold = () => {}
    rig.podStarts = async (pod, ip) => {
      asked.push(`${pod.metadata.name} ${ip.replace(/\d+$/, 'x')}`)
      if (asked.length === 1) throw new Error('the rules cannot be written')
      if (asked.length === 2)
        await new Promise<void>((resolve) => {
          hold = resolve
        })
    }
    await rig.create('web')
    await rig.until('asked again', () => asked.length === 2)
    await rig.pass(5000)
    expect([rig.cri.starts, rig.cri.sandboxes.size]).toEqual([[], 1])
    expect(rig.reasons()).toContain('FailedCreatePodSandBox')
    hold()
    await rig.until('ready', isReady('web'))
    expect(asked[1]).toBe('web 10.244.0.x')
    const before = asked.length
    await rig.create('host', { hostNetwork: true })
    await rig.until('ready', isReady('host'))
    expect(asked.length).toBe(before)
  })

  it('that runs once is done, and stays to be looked at', async () => {
    await rig.create('once', { restartPolicy: 'Never' })
    await rig.until('running', phaseIs('once', 'Running'))
    rig.cri.exit(only(), 0)
    await rig.until('succeeded', phaseIs('once', 'Succeeded'))
    await rig.pass(60_000)
    expect(rig.cri.starts).toEqual(['once/main'])
    expect(rig.cri.containers.size).toBe(1)
    await rig.delete('once')
    await rig.until('gone', async () => (await rig.get('once')) === undefined && rig.cri.sandboxes.size === 0)
  })

  it('that is done is forgotten when its object goes at once', async () => {
    await rig.create('once', { restartPolicy: 'Never' })
    await rig.until('running', phaseIs('once', 'Running'))
    rig.cri.exit(only(), 0)
    await rig.until('succeeded', phaseIs('once', 'Succeeded'))
    await rig.pass(1000)
    await rig.api.delete(pods, { namespace: 'default', name: 'once' }, { gracePeriodSeconds: 0 })
    await rig.until('forgotten', () => rig.workers.list().length === 0)
  })

  it('is stopped, removed and let go when it is deleted', async () => {
    await rig.create('web')
    await rig.until('ready', isReady('web'))
    await rig.delete('web')
    await rig.until('gone', async () => (await rig.get('web')) === undefined)
    await rig.until('removed', () => rig.cri.sandboxes.size === 0 && rig.cri.containers.size === 0)
    expect(rig.reasons()).toContain('Killing')
    await rig.until('forgotten', () => rig.workers.list().length === 0)
  })

  it('is ended by its deadline', async () => {
    await rig.create('slow', { activeDeadlineSeconds: 30 })
    await rig.until('running', phaseIs('slow', 'Running'))
    await rig.until('failed', phaseIs('slow', 'Failed'), 40_000)
    expect((await rig.get('slow'))?.status).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    })
    expect(rig.cri.running()).toEqual([])
  })

  it('that does not fit is refused in upstream’s words', async () => {
    const resources = { requests: { cpu: '64' } }
    await rig.create('big', { containers: [{ name: 'main', image: 'busybox:1', resources }] })
    await rig.until('failed', phaseIs('big', 'Failed'))
    expect((await rig.get('big'))?.status).toMatchObject({
      reason: 'OutOfcpu',
      message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 64000, used: 0, capacity: 8000",
    })
    await rig.delete('big')
    await rig.until('gone', async () => (await rig.get('big')) === undefined)
  })

  it('fits into the place of one whose object is gone, though that is still being stopped', async () => {
    const large = { containers: [{ name: 'main', image: 'busybox:1', resources: { requests: { cpu: '6' } } }] }
    await rig.create('first', large)
    await rig.until('ready', isReady('first'))
    await rig.api.delete(pods, { namespace: 'default', name: 'first' }, { gracePeriodSeconds: 0 })
    await rig.create('second', large)
    await rig.until('ready', isReady('second'))
    expect(rig.reasons()).not.toContain('OutOfcpu')
  })

  it('waits for the images of the volumes that its containers mount, and for no others', async () => {
    rig.missingImages.add('files:1')
    const volumes = [{ name: 'files', image: { reference: 'files:1' } }]
    await rig.create('web', {
      volumes,
      containers: [
        { name: 'main', image: 'busybox:1' },
        { name: 'reader', image: 'busybox:1', volumeMounts: [{ name: 'files', mountPath: '/files' }] },
      ],
    })
    await rig.until('one runs', () => rig.cri.starts.includes('web/main'))
    const reader = async () => (await rig.get('web'))?.status?.containerStatuses?.find(({ name }) => name === 'reader')
    await rig.until('the other waits', async () => (await reader())?.state?.waiting?.reason === 'ErrImagePull')
    rig.missingImages.clear()
    await rig.until('both run', () => rig.cri.starts.includes('web/reader'))
  })

  it('waits for its image, and runs when there is one', async () => {
    rig.missingImages.add('nope:1')
    await rig.create('web', { containers: [{ name: 'main', image: 'nope:1' }] })
    await rig.until('waiting', async () => (await mainStatus('web'))?.state?.waiting?.reason === 'ErrImagePull')
    rig.missingImages.clear()
    await rig.until('ready', isReady('web'))
  })
})

describe('order', () => {
  it('init containers first, one by one; sidecars stay; all end in reverse', async () => {
    const image = 'busybox:1'
    await rig.create('web', {
      initContainers: [
        { name: 'a', image },
        { name: 'side', image, restartPolicy: 'Always' },
        { name: 'b', image },
      ],
    })
    const running = () =>
      rig.cri.running().map(({ config }) => config.labels?.['io.kubernetes.container.name'] as string)
    const exit = (name: string) =>
      rig.cri.exit(rig.cri.running().find(({ config }) => config.metadata?.name === name)?.id ?? '', 0)
    await rig.until('a runs', () => running().join() === 'a')
    exit('a')
    await rig.until('the sidecar and b run', () => running().join() === 'side,b')
    exit('b')
    await rig.until('main runs', () => running().join() === 'side,main')
    await rig.until('ready', isReady('web'))
    const ends: string[] = []
    const tell = rig.cri.onEvent
    rig.cri.onEvent = (type, id) => {
      if (type === 'exited') ends.push(rig.cri.containers.get(id)?.config.metadata?.name ?? '')
      tell(type, id)
    }
    await rig.delete('web')
    await rig.until('gone', async () => (await rig.get('web')) === undefined)
    expect(ends).toEqual(['main', 'side'])
  })
})

describe('probes', () => {
  const probed = (more: object) => ({ containers: [{ name: 'main', image: 'busybox:1', ...more }] })

  it('a failing readiness probe takes the pod out, a succeeding one brings it back', async () => {
    await rig.create(
      'web',
      probed({ readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 2 } }),
    )
    await rig.until('ready', isReady('web'))
    rig.answers.set('main', 'failure')
    await rig.until('not ready', async () => !(await isReady('web')()))
    rig.answers.set('main', 'success')
    await rig.until('ready again', isReady('web'))
    expect((await mainStatus('web'))?.restartCount).toBe(0)
  })

  it('a failing liveness probe restarts the container', async () => {
    await rig.create('web', probed({ livenessProbe: { exec: { command: ['true'] }, periodSeconds: 1 } }))
    await rig.until('ready', isReady('web'))
    rig.answers.set('main', 'failure')
    await rig.until('restarted', async () => (await mainStatus('web'))?.restartCount === 1, 10_000)
    expect(rig.told.map(({ message }) => message)).toContain('Container main failed liveness probe, will be restarted')
  })
})

describe('an agent that starts again', () => {
  it('takes over what runs, and restarts nothing', async () => {
    for (const name of ['a', 'b', 'c']) await rig.create(name)
    for (const name of ['a', 'b', 'c']) await rig.until('ready', isReady(name))
    const before = [...rig.cri.containers.keys()]
    await rig.startAgent()
    await rig.pass(120_000)
    expect([...rig.cri.containers.keys()]).toEqual(before)
    expect(rig.cri.starts).toHaveLength(3)
    await rig.delete('a')
    await rig.until('gone', async () => (await rig.get('a')) === undefined)
  })

  it('ends what nobody knows any more', async () => {
    await rig.create('web')
    await rig.until('ready', isReady('web'))
    await rig.stopAgent()
    await rig.api.delete(
      { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true },
      { namespace: 'default', name: 'web' },
      { gracePeriodSeconds: 0 },
    )
    await rig.startAgent()
    await rig.until('ended', () => rig.cri.sandboxes.size === 0 && rig.cri.containers.size === 0)
  })

  it('sees what ended while it was away', async () => {
    await rig.create('web')
    await rig.until('ready', isReady('web'))
    await rig.stopAgent()
    rig.cri.exit(only(), 9)
    await rig.startAgent()
    await rig.until('restarted', async () => (await mainStatus('web'))?.restartCount === 1)
    expect((await mainStatus('web'))?.lastState?.terminated?.exitCode).toBe(9)
  })
})

describe('a pod with devices', () => {
  const claimed = { resourceClaims: [{ name: 'gpu', resourceClaimName: 'c' }] }

  it('waits until they are ready, is given them, and gives them back when it has ended', async () => {
    let ready = false
    const released: string[] = []
    rig.devices.prepare = async () => {
      if (!ready) throw new Error('prepare dynamic resources: DRA driver d is not registered')
    }
    rig.devices.cdiDevices = () => ['d/gpu=0']
    rig.devices.release = async (uid) => void released.push(uid)
    const { metadata } = await rig.create('web', claimed)
    await rig.until('told', () => rig.reasons().includes('FailedPrepareDynamicResources'))
    expect(rig.told[0]).toEqual({
      type: 'Warning',
      reason: 'FailedPrepareDynamicResources',
      message: 'Failed to prepare dynamic resources: prepare dynamic resources: DRA driver d is not registered',
    })
    expect(rig.cri.containers.size).toBe(0)
    ready = true
    await rig.until('ready', isReady('web'))
    expect([...rig.cri.containers.values()][0]?.config.CDIDevices).toEqual([{ name: 'd/gpu=0' }])
    await rig.delete('web')
    await rig.until('gone', async () => (await rig.get('web')) === undefined)
    expect(released).toContain(metadata.uid)
  })
})
