import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TestDriver } from '../../node-agent/csi/testing/test-driver.ts'
import { buildBox, type KubeItem, startCluster, type TestCluster, withoutContainers } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// A driver of somebody else's, with storage that both nodes reach, which does not always behave.

const why = withoutContainers()
const driverName = 'csi.test.example'
const nodes = ['node-1', 'node-2']

describe.skipIf(why)(`a driver of others${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster
  let machine: string
  const drivers: TestDriver[] = []
  /** Attaching and detaching, of both nodes, in order. */
  const heard: { method: string; volumeId: string; nodeId: string }[] = []
  const volumesDirectory = () => join(machine, 'volumes')

  beforeAll(async () => {
    machine = mkdtempSync(join(tmpdir(), 'gantry-machine-'))
    cluster = await startCluster(['--runtime', 'containerd', '--nodes', '2', '--quickstart'])
    await buildBox(cluster)
    for (const node of nodes) {
      const driver = await TestDriver.start({
        directory: join(machine, node),
        nodeId: `id-of-${node}`,
        volumesDirectory: volumesDirectory(),
        controllerCapabilities: ['CREATE_DELETE_VOLUME', 'PUBLISH_UNPUBLISH_VOLUME'],
        nodeCapabilities: ['STAGE_UNSTAGE_VOLUME', 'GET_VOLUME_STATS'],
        mounts: true,
        heard: (method, request) => {
          const { volumeId = '', nodeId = '' } = request as { volumeId?: string; nodeId?: string }
          if (nodeId !== '') heard.push({ method, volumeId, nodeId })
        },
      })
      driver.tellsBytes = '0'
      drivers.push(driver)
      await driver.register(join(cluster.dataDir, 'nodes', node, 'plugins_registry'))
    }
    await apply(
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSIDriver',
        metadata: { name: driverName, annotations: { 'gantry.dev/csi-controllers': 'built-in' } },
        spec: { attachRequired: true },
      },
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: 'theirs' },
        provisioner: driverName,
        parameters: {
          'csi.storage.k8s.io/secret-name': 'key',
          'csi.storage.k8s.io/secret-namespace': 'default',
        },
      },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' }, stringData: { word: 'sesame' } },
    )
    for (const node of nodes) {
      await until(async () => (await cluster.kubectl(`get csinode ${node} -o yaml`)).stdout.includes(driverName), {
        message: `the driver is registered on ${node}`,
      })
    }
  }, 240_000)
  afterEach(() => {
    for (const driver of drivers) {
      driver.faults.clear()
      driver.tellsBytes = '0'
    }
  })
  afterAll(async () => {
    await cluster?.down()
    for (const driver of drivers) driver.stop()
    rmSync(machine, { recursive: true, force: true })
  }, 120_000)

  const apply = (...items: object[]) =>
    cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })
  const claimSpec = (storageClassName: string) => ({
    accessModes: ['ReadWriteOnce'],
    storageClassName,
    resources: { requests: { storage: '8Mi' } },
  })
  const claim = (name: string, storageClassName = 'theirs') => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: claimSpec(storageClassName),
  })
  const podSpec = (script: string) => ({
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'main',
        image: 'gantry.local/box:1',
        command: ['sh', '-c', script],
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
  })
  const pod = (name: string, claimName: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { ...podSpec('sleep 10000'), volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] },
  })
  const runs = (name: string, timeoutMs = 60_000) =>
    until(
      async () => {
        const found = await cluster.get<KubeItem>(`pod ${name}`)
        return found.status.phase === 'Running' ? found : undefined
      },
      { timeoutMs, everyMs: 200, message: `pod ${name} runs` },
    )
  const isSaid = (what: string, words: string) =>
    until(async () => (await cluster.kubectl(`describe ${what}`)).stdout.replace(/\s+/g, ' ').includes(words), {
      timeoutMs: 60_000,
      everyMs: 300,
      message: `${what} says ${words}`,
    })
  const remove = (what: string) => cluster.kubectl(`delete ${what} --timeout=90s`, { timeoutMs: 120_000 })
  const each = (act: (driver: TestDriver) => void) => drivers.forEach(act)

  test('is handed the secrets of its class at every call', async () => {
    await apply(claim('open'), pod('opened', 'open'))
    const { spec } = await runs('opened')
    for (const method of ['CreateVolume', 'ControllerPublishVolume', 'NodeStageVolume', 'NodePublishVolume']) {
      const told = drivers.map((driver) => driver.last(method).secrets).filter(Boolean)
      expect(told, method).toContainEqual({ word: 'sesame' })
    }
    expect(drivers[nodes.indexOf(spec.nodeName ?? '')]?.count('NodePublishVolume')).toBeGreaterThan(0)
    await remove('pod/opened pvc/open')
    await until(async () => (await cluster.kubectl('get pv -o name')).stdout.trim() === '', {
      timeoutMs: 60_000,
      message: 'the volume is deleted',
    })
    expect(drivers.map((driver) => driver.last('DeleteVolume').secrets)).toContainEqual({ word: 'sesame' })
  }, 180_000)

  test.each(['NodeStageVolume', 'NodePublishVolume', 'ControllerPublishVolume'])(
    'that never answers %s keeps nobody else waiting, and its pod can be taken away',
    async (method) => {
      const own = method.toLowerCase()
      each((driver) => driver.faults.set(method, 'hang'))
      await apply(claim(own), pod(`stuck-${own}`, own))
      await until(() => drivers.some((driver) => driver.count(method) > 0 && driver.methods().includes(method)), {
        timeoutMs: 60_000,
        message: 'the driver is asked',
      })
      await apply(claim(`local-${own}`, 'local-path'), pod(`beside-${own}`, `local-${own}`))
      await runs(`beside-${own}`, 30_000)
      const { stdout } = await cluster.kubectl(['exec', `beside-${own}`, '--', 'sh', '-c', 'echo here'])
      expect(stdout).toBe('here\n')
      for (const node of nodes) await cluster.kubectl(`get --raw /api/v1/nodes/${node}/proxy/stats/summary`)
      await remove(`pod/stuck-${own} pod/beside-${own}`)
      each((driver) => driver.faults.clear())
      await remove(`pvc/${own} pvc/local-${own}`)
    },
    240_000,
  )

  test('that fails says so where one looks, and is asked again', async () => {
    each((driver) => driver.faults.set('NodeStageVolume', { code: 'INTERNAL', why: 'the disk is on fire' }))
    await apply(claim('failing'), pod('patient', 'failing'))
    await isSaid('pod patient', 'the disk is on fire')
    each((driver) => driver.faults.clear())
    await runs('patient')
    await remove('pod/patient pvc/failing')
  }, 180_000)

  test('that makes less than was asked for is not believed, and nothing is left of it', async () => {
    each((driver) => {
      driver.tellsBytes = '4096'
    })
    await apply(claim('short'))
    await isSaid('pvc short', 'created volume capacity 4096 less than requested capacity 8388608')
    expect(drivers.some((driver) => driver.count('DeleteVolume') > 0)).toBe(true)
    expect((await cluster.kubectl('get pv')).stdout).not.toContain('default/short')
    each((driver) => {
      driver.tellsBytes = '0'
    })
    await until(async () => (await cluster.kubectl('get pvc short')).stdout.includes('Bound'), {
      timeoutMs: 60_000,
      message: 'it is bound when the driver makes enough',
    })
    await remove('pvc/short')
  }, 180_000)

  test('that tells nonsense of how full a volume is, or nothing, does no harm to the node', async () => {
    await apply(claim('full'), pod('measured', 'full'))
    const node = (await runs('measured')).spec.nodeName
    const summary = () => cluster.kubectl(`get --raw /api/v1/nodes/${node}/proxy/stats/summary`, { timeoutMs: 30_000 })
    expect((await summary()).stdout).toContain('measured')
    each((driver) => driver.faults.set('NodeGetVolumeStats', 'hang'))
    expect((await summary()).stdout).toContain('measured')
    await remove('pod/measured pvc/full')
  }, 180_000)

  test('leaves nothing behind, whatever it has done before', async () => {
    await until(async () => (await cluster.kubectl('get pv,volumeattachments -o name')).stdout.trim() === '', {
      timeoutMs: 90_000,
      everyMs: 300,
      message: 'all volumes and attachments have gone',
    })
    expect(readdirSync(volumesDirectory())).toEqual([])
  }, 120_000)

  describe('a stateful set of three', () => {
    const lines = () =>
      Object.fromEntries(
        readdirSync(volumesDirectory()).map((name) => {
          const text = readFileSync(join(volumesDirectory(), name, 'log'), 'utf8')
          const written = text.trim().split('\n')
          return [written[0]?.split(' ')[0] ?? '', written.length]
        }),
      )
    const ready = (count: number) =>
      until(
        async () => {
          const { status, spec } = await cluster.get<KubeItem & { status: { updatedReplicas?: number } }>('sts db')
          const isNew = status.updatedReplicas === undefined || status.updatedReplicas >= count
          return status.readyReplicas === count && spec.replicas === count && isNew
        },
        { timeoutMs: 150_000, everyMs: 300, message: `${count} are ready` },
      )
    const names = ['db-0', 'db-1', 'db-2']
    /** Each pod writes its name into its volume when it starts; all of it is there, and in the right place. */
    const expectKept = (atLeast: number) => {
      const found = lines()
      expect(Object.keys(found).sort()).toEqual(names)
      for (const name of names) expect(found[name], name).toBeGreaterThanOrEqual(atLeast)
    }
    const pods = async () => (await cluster.get('pods -l app=db')).items

    test('keeps its data through deletion, rollout and rollback, scaling, and a node that is powered off', async () => {
      await apply({
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'db' },
        spec: {
          serviceName: 'db',
          replicas: 3,
          podManagementPolicy: 'Parallel',
          selector: { matchLabels: { app: 'db' } },
          template: {
            metadata: { labels: { app: 'db' } },
            spec: podSpec('echo "$HOSTNAME $VERSION" >> /data/log; exec sleep 10000'),
          },
          volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec('theirs') }],
        },
      })
      await ready(3)
      expectKept(1)

      await cluster.kubectl('delete pods -l app=db --timeout=60s', { timeoutMs: 90_000 })
      await ready(3)
      expectKept(2)

      await cluster.kubectl('set env sts/db VERSION=2')
      await cluster.kubectl('rollout status sts/db --timeout=150s', { timeoutMs: 160_000 })
      expectKept(3)
      await cluster.kubectl('rollout undo sts/db')
      await cluster.kubectl('rollout status sts/db --timeout=150s', { timeoutMs: 160_000 })
      expectKept(4)

      await cluster.kubectl('scale sts db --replicas=1')
      await ready(1)
      await cluster.kubectl('scale sts db --replicas=3')
      await ready(3)
      for (const name of ['db-1', 'db-2']) expect(lines()[name]).toBeGreaterThanOrEqual(5)

      const before = await pods()
      const off = before.find(({ spec }) => spec.nodeName === 'node-2') ? 'node-2' : 'node-1'
      const lost = before.filter(({ spec }) => spec.nodeName === off)
      powerOff(off, lost)
      await cluster.kubectl(`taint node ${off} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`)
      await until(async () => (await pods()).every(({ spec }) => spec.nodeName !== off), {
        timeoutMs: 120_000,
        everyMs: 500,
        message: 'all are elsewhere',
      })
      await ready(3)
      for (const { metadata } of lost) expect(lines()[metadata.name]).toBeGreaterThanOrEqual(2)
      expectOneAttachmentEach()

      process.kill(cluster.pid(`agent-${off}`), 'SIGCONT')
      await cluster.kubectl(`taint node ${off} node.kubernetes.io/out-of-service-`)
      await cluster.kubectl(`wait node/${off} --for=condition=Ready --timeout=90s`, { timeoutMs: 100_000 })
      await until(() => mountsOf(off).length === 0, { timeoutMs: 60_000, message: `${off} lets go of what it had` })
      await cluster.kubectl('delete pods -l app=db --timeout=60s', { timeoutMs: 90_000 })
      await ready(3)
      expect(Object.keys(lines()).sort()).toEqual(names)
    }, 900_000)

    /** Its agent stands still, and its containers are gone: nobody writes there, and nobody says so. */
    const powerOff = (node: string, lost: readonly KubeItem[]) => {
      process.kill(cluster.pid(`agent-${node}`), 'SIGSTOP')
      for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        const cgroups = readProc(`/proc/${entry}/cgroup`)
        if (lost.some(({ metadata }) => cgroups.includes(`pod${metadata.uid}`))) process.kill(Number(entry), 'SIGKILL')
      }
    }
    const readProc = (path: string): string => {
      try {
        return readFileSync(path, 'utf8')
      } catch {
        return ''
      }
    }
    const mountsOf = (node: string) =>
      readFileSync('/proc/self/mounts', 'utf8')
        .split('\n')
        .filter((line) => line.includes(`/nodes/${node}/`) && line.includes('kubernetes.io~csi'))

    /** No volume was attached to a node before it was taken off the other. */
    const expectOneAttachmentEach = () => {
      const attached = new Map<string, Set<string>>()
      for (const { method, volumeId, nodeId } of heard) {
        const to = attached.get(volumeId) ?? new Set()
        attached.set(volumeId, to)
        if (method === 'ControllerPublishVolume') to.add(nodeId)
        if (method === 'ControllerUnpublishVolume') to.delete(nodeId)
        expect(to.size, volumeId).toBeLessThanOrEqual(1)
      }
      expect(attached.size).toBeGreaterThanOrEqual(3)
    }
  })
})
