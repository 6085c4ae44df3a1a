import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  buildBox,
  type KubeItem,
  runGantry,
  startCluster,
  type TestCluster,
  withoutContainers,
} from '../support/cluster.ts'
import { until } from '../support/until.ts'

// What is in a claim goes into an archive, and comes out of it in another cluster.

const why = withoutContainers()

describe.skipIf(why)(`the contents of a claim${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster
  let other: TestCluster
  let directory: string

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-backup-'))
    cluster = await startCluster(['--runtime', 'containerd', '--quickstart'])
    other = await startCluster(['--runtime', 'containerd', '--quickstart'])
    for (const each of [cluster, other]) await buildBox(each)
  }, 300_000)
  afterAll(async () => {
    await cluster?.down()
    await other?.down()
    rmSync(directory, { recursive: true, force: true })
  }, 120_000)

  const apply = (where: TestCluster, ...items: object[]) =>
    where.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })
  const claim = (name: string, storageClassName: string) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, labels: { app: 'shop' } },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: '32Mi' } } },
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
  const runs = (where: TestCluster, name: string) =>
    until(async () => (await where.get<KubeItem>(`pod ${name}`)).status.phase === 'Running', {
      timeoutMs: 90_000,
      everyMs: 200,
      message: `pod ${name} runs`,
    })
  const inPod = async (where: TestCluster, name: string, script: string) =>
    (await where.kubectl(['exec', name, '--', 'sh', '-c', script])).stdout.trim()
  const volume = async (where: TestCluster, ...args: string[]) => {
    const { code, stdout, stderr } = await runGantry(
      ['volume', ...args, `--kubeconfig=${where.kubeconfig}`],
      where.enter,
    )
    return { code, said: `${stdout}${stderr}` }
  }
  const names = async (where: TestCluster, kinds: string) => (await where.kubectl(`get ${kinds} -o name`)).stdout.trim()
  const file = (name: string) => join(directory, name)

  test('goes to another cluster as it was, with its owners, links and modes', async () => {
    await apply(cluster, claim('data', 'loop'), pod('writer', 'data'))
    await runs(cluster, 'writer')
    const script = `
      cd /data; mkdir -p a/b; echo one > a/b/file; busybox chown 1000:2000 a/b/file; busybox chmod 640 a/b/file
      busybox ln -s a/b/file link; busybox ln a/b/file a/same; busybox dd if=/dev/zero of=big bs=1M count=5 2>/dev/null`
    await inPod(cluster, 'writer', script)
    const listing =
      'cd /data; busybox find . -path ./lost+found -prune -o -print | busybox sort | busybox xargs busybox ls -lnd'
    const before = await inPod(cluster, 'writer', listing)
    await cluster.kubectl('delete pod writer --timeout=60s', { timeoutMs: 90_000 })

    const saved = await volume(cluster, 'backup', 'data', file('data.tar.gz'))
    expect(saved.said).toMatch(/^data: 5\.\d MiB in .*data\.tar\.gz/)
    expect(saved.code).toBe(0)
    expect(await names(cluster, 'pods -l app.kubernetes.io/managed-by=gantry-volume')).toBe('')

    const put = await volume(other, 'restore', file('data.tar.gz'))
    expect(put.said).toMatch(/^persistentvolumeclaim\/data restored: \d+ files and directories, 5\.0 MiB\n$/)
    const restored = await other.get<{ metadata: { labels: object }; spec: { storageClassName: string } }>('pvc data')
    expect(restored).toMatchObject({ metadata: { labels: { app: 'shop' } }, spec: { storageClassName: 'loop' } })
    await apply(other, pod('reader', 'data'))
    await runs(other, 'reader')
    expect(await inPod(other, 'reader', listing)).toBe(before)
    expect(await inPod(other, 'reader', 'cat /data/link')).toBe('one')

    const again = await volume(other, 'restore', file('data.tar.gz'))
    expect([again.code, again.said]).toEqual([1, expect.stringContaining('there is a claim data already')])
  }, 240_000)

  test('that is in use is saved by a snapshot, or as it is by force', async () => {
    await apply(cluster, claim('busy', 'local-path'), pod('worker', 'busy'))
    await runs(cluster, 'worker')
    await inPod(cluster, 'worker', 'echo working > /data/state')
    const list = await volume(cluster, 'ls')
    expect(list.said).toMatch(/NAME +STATUS +CLASS +SIZE +USED +NODE +USED BY/)
    expect(list.said).toMatch(/busy +Bound +local-path +\S+ +[\d.]+ \w+ +\S+ +worker/)

    const frozen = await volume(cluster, 'backup', 'busy', file('busy.tar'))
    expect(frozen.said).toContain('busy is in use: a snapshot of it is backed up')
    expect(frozen.code).toBe(0)
    await until(
      async () => (await names(cluster, 'vs,pvc')) === 'persistentvolumeclaim/busy\npersistentvolumeclaim/data',
      {
        message: 'nothing is left behind',
      },
    )
    expect((await volume(cluster, 'backup', 'busy', file('forced.tar'), '--force')).code).toBe(0)
    for (const name of ['busy.tar', 'forced.tar']) expect(readFileSync(file(name)).includes('working\n')).toBe(true)

    await cluster.kubectl('annotate vsclass local-path snapshot.storage.kubernetes.io/is-default-class-')
    const refused = await volume(cluster, 'backup', 'busy', file('refused.tar'))
    expect(refused.said).toContain('busy is in use by pod/worker, and no snapshot of it can be taken')
    expect([refused.code, existsSync(file('refused.tar'))]).toEqual([1, false])
  }, 240_000)

  test('is not taken from what is no whole archive, and nothing of it stays', async () => {
    writeFileSync(file('cut.tar.gz'), readFileSync(file('data.tar.gz')).subarray(0, 3000))
    const cut = await volume(other, 'restore', file('cut.tar.gz'), '--name', 'cut')
    expect(cut.code).toBe(1)
    writeFileSync(file('nonsense'), 'nonsense')
    expect((await volume(other, 'restore', file('nonsense'), '--name', 'cut')).said).toContain('no archive of a volume')
    await until(async () => !(await names(other, 'pvc')).includes('cut'), { message: 'the claim has gone' })
    expect(readdirSync(directory).filter((name) => name.endsWith('.part'))).toEqual([])
  }, 120_000)

  // The last one: it stops the cluster.
  test('goes with the whole cluster and its images into another directory', async () => {
    const clone = file('clone')
    const gantry = async (...args: string[]) => {
      const { code, stdout, stderr } = await runGantry(args, cluster.enter)
      expect(code, `${args.join(' ')}\n${stdout}${stderr}`).toBe(0)
      return `${stdout}${stderr}`
    }
    const running = await gantry('snapshot', 'clone', file('running'), '--data-dir', cluster.dataDir)
    expect(running).toMatch(/cloned \d+ objects at revision \d+ in [\d.]+ s/)
    await gantry('down', '--data-dir', cluster.dataDir)
    const said = await gantry('snapshot', 'clone', clone, '--data-dir', cluster.dataDir, '--images', '--volumes')
    expect(said).toMatch(/cloned \d+ objects at revision \d+, \d+ images, the volumes of 1 nodes in [\d.]+ s/)
    try {
      await gantry('up', '--detach', '--data-dir', clone)
      const kubeconfig = join(clone, 'kubeconfig')
      // Its image is nowhere else, and what was in the volume is in its own now.
      // As everything else, its state is as it was: it counts as ready until its node has looked.
      const read = ['exec', 'worker', '--kubeconfig', kubeconfig, '--', 'cat', '/data/state']
      const state = await until(
        async () => {
          const { code, stdout } = await runGantry(read, cluster.enter)
          return code === 0 && stdout
        },
        { timeoutMs: 60_000, message: 'the pod runs again' },
      )
      expect(state).toBe('working\n')
    } finally {
      await gantry('down', '--data-dir', clone, '--delete-data')
    }
  }, 240_000)
})
