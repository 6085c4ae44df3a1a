import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCluster, type TestCluster } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// Claims and volumes as people see them, with a stock kubectl. No container runs: what is bound is no matter of theirs.

interface Claim {
  metadata: { deletionTimestamp?: string; annotations?: Record<string, string> }
  spec: { storageClassName?: string; volumeName?: string }
  status: { phase: string; capacity?: { storage: string } }
}

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster(['--runtime', 'hollow'], { ownMachine: false })
}, 120_000)
afterAll(async () => cluster?.down(), 60_000)

const kubectl = (args: string) => cluster.kubectl(args)
const apply = (...items: object[]) =>
  cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })
const phase = (what: string, wanted: string) =>
  kubectl(`wait ${what} --for=jsonpath={.status.phase}=${wanted} --timeout=20s`)
const claim = (name: string) => cluster.get<Claim>(`pvc ${name}`)
const describes = (what: string, words: string) =>
  until(async () => (await kubectl(`describe ${what}`)).stdout.includes(words), { message: `${what} says ${words}` })

const volumeOf = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    capacity: { storage: '2Gi' },
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'by-hand',
    hostPath: { path: `/nowhere/${name}` },
    ...spec,
  },
})
const claimOf = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
})
const podOf = (name: string, claimName: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image: 'any', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
  },
})

describe('a volume made by hand', () => {
  test('is bound, protected while a pod uses it, and kept when its claim has gone', async () => {
    await apply(volumeOf('kept'), claimOf('kept', { storageClassName: 'by-hand', volumeName: 'kept' }))
    await phase('pvc/kept', 'Bound')
    await phase('pv/kept', 'Bound')
    expect((await claim('kept')).status.capacity).toEqual({ storage: '2Gi' })
    await apply(podOf('user', 'kept'))
    await kubectl('wait pod/user --for=condition=PodScheduled --timeout=20s')
    await kubectl('delete pv kept --wait=false')
    await kubectl('delete pvc kept --wait=false')
    expect((await claim('kept')).metadata.deletionTimestamp).toBeDefined()
    await phase('pv/kept', 'Bound')
    await kubectl('delete pod user --grace-period=0 --force')
    await kubectl('wait pvc/kept --for=delete --timeout=20s')
    // It was to go as well, and may now.
    await kubectl('wait pv/kept --for=delete --timeout=20s')
  })

  test('is released when its claim goes, and not given to the next', async () => {
    await apply(volumeOf('once'), claimOf('first', { storageClassName: 'by-hand' }))
    await phase('pvc/first', 'Bound')
    await kubectl('delete pvc first')
    await phase('pv/once', 'Released')
    await apply(claimOf('second', { storageClassName: 'by-hand' }))
    await describes('pvc second', 'storageclass.storage.k8s.io "by-hand" not found')
    expect((await claim('second')).status.phase).toBe('Pending')
  })

  test('that is to be deleted fails when nobody can', async () => {
    const policy = { persistentVolumeReclaimPolicy: 'Delete', storageClassName: 'nobody' }
    await apply(volumeOf('stuck', policy), claimOf('stuck', { storageClassName: 'nobody' }))
    await phase('pvc/stuck', 'Bound')
    await kubectl('delete pvc stuck')
    await phase('pv/stuck', 'Failed')
    await describes('pv stuck', 'VolumeFailedDelete')
  })
})

test('a claim that names no class gets the default one, and waits for its first pod', async () => {
  await apply(claimOf('late'))
  await describes('pvc late', 'waiting for first consumer to be created before binding')
  const { spec, status } = await claim('late')
  expect(spec.storageClassName).toBe('local-path')
  expect(status.phase).toBe('Pending')
})

test('a claim without a class of its own is told that nothing is there for it', async () => {
  await apply(claimOf('none', { storageClassName: '' }))
  await describes('pvc none', 'no persistent volumes available for this claim and no storage class is set')
})

test('a pod that brings the description of a volume gets a claim, which goes with it', async () => {
  const volumes = [{ name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: claimOf('').spec } } }]
  const pod = podOf('brings', '')
  const spec = { ...pod.spec, volumes, containers: [{ name: 'main', image: 'any' }] }
  await apply({ ...pod, spec })
  await kubectl('wait pvc/brings-scratch --for=create --timeout=20s')
  await kubectl('delete pod brings --grace-period=0 --force')
  await kubectl('wait pvc/brings-scratch --for=delete --timeout=30s')
})
