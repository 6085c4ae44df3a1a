import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildBox, type KubeItem, startCluster, type TestCluster, withoutContainers } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// Snapshots of real volumes, and volumes made of them, on two nodes.

const why = withoutContainers()

describe.skipIf(why)(`snapshots${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster

  beforeAll(async () => {
    cluster = await startCluster(['--runtime', 'containerd', '--nodes', '2', '--quickstart'])
    await buildBox(cluster)
  }, 240_000)
  afterAll(async () => {
    await cluster?.down()
  }, 120_000)

  const apply = (...objects: object[]) =>
    cluster.kubectl(['apply', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    })
  const claim = (name: string, storageClassName: string, source: object = {}) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName,
      resources: { requests: { storage: '24Mi' } },
      ...source,
    },
  })
  const pod = (name: string, claimName: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'main',
          image: 'gantry.local/box:1',
          command: ['sleep', '10000'],
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    },
  })
  const inPod = async (name: string, script: string) =>
    (await cluster.kubectl(['exec', name, '--', 'sh', '-c', script])).stdout.trim()
  const runs = (name: string) =>
    until(
      async () => {
        const found = await cluster.get<KubeItem>(`pod ${name}`)
        return found.status.phase === 'Running' ? found : undefined
      },
      { timeoutMs: 90_000, everyMs: 200, message: `pod ${name} runs` },
    )
  interface Snapshot {
    status?: { readyToUse?: boolean; restoreSize?: string; boundVolumeSnapshotContentName?: string }
  }
  const isReady = (name: string) =>
    until(
      async () => {
        const found = await cluster.get<Snapshot>(`volumesnapshot ${name}`)
        return found.status?.readyToUse ? found : undefined
      },
      { timeoutMs: 60_000, everyMs: 200, message: `snapshot ${name} is ready` },
    )

  test.each(['loop', 'local-path'])(
    'of a %s volume stay as they were, and become volumes',
    async (kind) => {
      const named = (name: string) => `${kind}-${name}`
      await apply(claim(named('data'), kind), pod(named('writer'), named('data')))
      const { spec } = await runs(named('writer'))
      await inPod(named('writer'), 'echo then > /data/file; ls / > /data/list')
      await apply({
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshot',
        metadata: { name: named('first') },
        spec: { source: { persistentVolumeClaimName: named('data') } },
      })
      const { status } = await isReady(named('first'))
      expect(status?.restoreSize).toBe('24Mi')
      expect((await cluster.kubectl(`get vs ${named('first')}`)).stdout).toMatch(
        /NAME +READYTOUSE +SOURCEPVC +SOURCESNAPSHOTCONTENT +RESTORESIZE +SNAPSHOTCLASS +SNAPSHOTCONTENT +CREATIONTIME +AGE/,
      )
      await inPod(named('writer'), 'echo now > /data/file')

      const apiGroup = 'snapshot.storage.k8s.io'
      const ofSnapshot = { dataSource: { apiGroup, kind: 'VolumeSnapshot', name: named('first') } }
      const ofClaim = { dataSourceRef: { kind: 'PersistentVolumeClaim', name: named('data') } }
      await apply(
        claim(named('restored'), kind, ofSnapshot),
        claim(named('cloned'), kind, ofClaim),
        pod(named('reader'), named('restored')),
        pod(named('twin'), named('cloned')),
      )
      // What is on one node brings its pods there.
      expect((await runs(named('reader'))).spec.nodeName).toBe(spec.nodeName)
      expect((await runs(named('twin'))).spec.nodeName).toBe(spec.nodeName)
      expect(await inPod(named('reader'), 'cat /data/file')).toBe('then')
      expect(await inPod(named('twin'), 'cat /data/file')).toBe('now')

      const content = status?.boundVolumeSnapshotContentName ?? ''
      await cluster.kubectl(`delete volumesnapshot ${named('first')} --timeout=60s`, { timeoutMs: 90_000 })
      await until(async () => !(await cluster.kubectl('get vsc -o name')).stdout.includes(content), {
        message: 'the content has gone',
      })
      expect(await inPod(named('reader'), 'cat /data/file')).toBe('then')
    },
    240_000,
  )
})
