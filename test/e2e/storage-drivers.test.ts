import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCluster, type TestCluster } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// Claims without a class, in a whole cluster: made, used, grown and deleted by a driver. Containers are plain processes.

interface Volume {
  metadata: { name: string }
  spec: { claimRef?: { name: string }; csi?: { volumeHandle: string } }
}

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster(['--runtime', 'process'], { ownMachine: false })
}, 120_000)
afterAll(async () => cluster?.down(), 60_000)

const kubectl = (args: string) => cluster.kubectl(args, { timeoutMs: 90_000 })
const apply = (...items: object[]) =>
  cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })

const claimSpec = (storageClassName?: string) => ({
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: '8Mi' } },
  ...(storageClassName ? { storageClassName } : {}),
})
/** Writes a line into its volume, then waits. */
const container = {
  name: 'main',
  image: 'any',
  command: ['sh', '-c', 'echo started >> $DATA/log; exec sleep 100000'],
  env: [{ name: 'DATA', value: '/data' }],
  volumeMounts: [{ name: 'data', mountPath: '/data' }],
}
const podOf = (name: string, claimName: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [container],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
  },
})
const claimOf = (name: string, storageClassName?: string) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: claimSpec(storageClassName),
})

const volumes = async () => (await cluster.get<{ items: Volume[] }>('pv')).items
const directories = () => {
  const nodes = join(cluster.dataDir, 'nodes')
  return readdirSync(nodes)
    .map((node) => join(nodes, node, 'plugins', 'local-path.gantry.dev', 'volumes'))
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name)))
}
/** What pods have written into the volume of a claim. */
async function linesOf(claimName: string): Promise<number> {
  const volume = (await volumes()).find(({ spec }) => spec.claimRef?.name === claimName)
  const directory = directories().find((path) => path.endsWith(volume?.spec.csi?.volumeHandle ?? 'none'))
  const log = join(directory ?? '', 'data', 'log')
  return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').length : 0
}

test('a stateful set of three keeps its data through deletion of pods, and through scaling down and up', async () => {
  await apply({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db' },
    spec: {
      serviceName: 'db',
      replicas: 3,
      selector: { matchLabels: { app: 'db' } },
      template: {
        metadata: { labels: { app: 'db' } },
        spec: { terminationGracePeriodSeconds: 0, containers: [container] },
      },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec() }],
    },
  })
  const names = ['data-db-0', 'data-db-1', 'data-db-2']
  const written = (lines: number) =>
    until(async () => (await Promise.all(names.map(linesOf))).every((count) => count === lines), {
      timeoutMs: 60_000,
      message: `each volume has ${lines} lines`,
    })
  await kubectl('rollout status statefulset/db --timeout=60s')
  await written(1)
  await kubectl('delete pod db-0 db-1 db-2')
  await written(2)
  await kubectl('rollout status statefulset/db --timeout=60s')
  await kubectl('scale statefulset db --replicas=0')
  await until(async () => (await cluster.get('pods -l app=db')).items.length === 0, { timeoutMs: 60_000 })
  await kubectl('scale statefulset db --replicas=3')
  await written(3)
  await kubectl('delete statefulset db')
  await kubectl(`delete pvc ${names.join(' ')} --timeout=60s`)
  await until(async () => (await volumes()).length === 0 && directories().length === 0, { timeoutMs: 30_000 })
}, 180_000)

test('a volume of a class that says so stays when its claim has gone', async () => {
  await apply(
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'keep' },
      provisioner: 'local-path.gantry.dev',
      reclaimPolicy: 'Retain',
      volumeBindingMode: 'Immediate',
    },
    claimOf('kept', 'keep'),
  )
  await kubectl('wait pvc/kept --for=jsonpath={.status.phase}=Bound --timeout=30s')
  const [volume] = await volumes()
  await kubectl('delete pvc kept --timeout=30s')
  await kubectl(`wait pv/${volume?.metadata.name} --for=jsonpath={.status.phase}=Released --timeout=30s`)
  expect(directories()).toHaveLength(1)
  // The policy is followed as it is now.
  await kubectl(`patch pv ${volume?.metadata.name} -p {"spec":{"persistentVolumeReclaimPolicy":"Delete"}}`)
  await until(async () => (await volumes()).length === 0 && directories().length === 0, { timeoutMs: 30_000 })
}, 120_000)

test('a claim grows', async () => {
  await apply(claimOf('grows'), podOf('grows', 'grows'))
  await kubectl('wait pvc/grows --for=jsonpath={.status.phase}=Bound --timeout=30s')
  await kubectl('patch pvc grows -p {"spec":{"resources":{"requests":{"storage":"16Mi"}}}}')
  await kubectl('wait pvc/grows --for=jsonpath={.status.capacity.storage}=16Mi --timeout=30s')
}, 90_000)

test('each claim gets one volume, however often the controller manager is killed meanwhile', async () => {
  const before = (await volumes()).length
  const names = Array.from({ length: 8 }, (_, i) => `many-${i}`)
  await apply(...names.map((name) => claimOf(name)), ...names.map((name) => podOf(name, name)))
  for (let i = 0; i < 3; i++) {
    const pid = cluster.pid('controller-manager')
    process.kill(pid, 'SIGKILL')
    await until(() => cluster.pid('controller-manager') !== pid, { timeoutMs: 30_000, message: 'it is back' })
    const bound = async () => (await volumes()).length > before + i * 2
    await until(bound, { timeoutMs: 60_000, message: 'it goes on' })
  }
  const wanted = names.map((name) => `pvc/${name}`).join(' ')
  await kubectl(`wait ${wanted} --for=jsonpath={.status.phase}=Bound --timeout=60s`)
  expect(await volumes()).toHaveLength(before + names.length)
  expect(directories()).toHaveLength(before + names.length)
}, 180_000)
