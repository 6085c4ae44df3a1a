import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildBox, type KubeItem, startCluster, type TestCluster, withoutContainers } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// Volumes of a node, with real containers, mounts and disks.

const why = withoutContainers()
const node = hostname().toLowerCase()

describe.skipIf(why)(`volumes${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster
  let machine: string
  const disks: string[] = []

  beforeAll(async () => {
    machine = mkdtempSync(join(tmpdir(), 'gantry-machine-'))
    cluster = await startCluster(['--runtime', 'containerd', '--quickstart'])
    await buildBox(cluster)
  }, 180_000)
  afterAll(async () => {
    await cluster?.down()
    for (const disk of disks) execFileSync('losetup', ['--detach', disk])
    rmSync(machine, { recursive: true, force: true })
  }, 120_000)

  const kubectl = (args: string | readonly string[], options?: Parameters<TestCluster['kubectl']>[1]) =>
    cluster.kubectl(args, options)
  const apply = (object: object) => kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) })
  const pod = (name: string, script: string, volumes: object[], more: { container?: object; pod?: object } = {}) =>
    apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'main', image: 'gantry.local/box:1', command: ['sh', '-c', script], ...more.container }],
        volumes,
        ...more.pod,
      },
    })
  const phase = (name: string, wanted: string) =>
    until(
      async () => {
        const found = await cluster.get<KubeItem & { status: { reason?: string; message?: string } }>(`pod ${name}`)
        if (found.status.phase === 'Failed' && wanted === 'Succeeded') {
          throw new Error((await kubectl(`logs ${name}`)).stdout)
        }
        return found.status.phase === wanted ? found : undefined
      },
      { timeoutMs: 90_000, everyMs: 200, message: `pod ${name} is ${wanted}` },
    )
  const inPod = (name: string, script: string) => kubectl(['exec', name, '--', 'sh', '-c', script])
  const warned = (name: string, words: string) =>
    until(async () => (await kubectl(`describe pod ${name}`)).stdout.replace(/\s+/g, ' ').includes(words), {
      timeoutMs: 60_000,
      everyMs: 300,
      message: `pod ${name} is warned: ${words}`,
    })
  const remove = (name: string) => kubectl(`delete pod ${name} --timeout=60s`, { timeoutMs: 90_000 })
  const disk = () => {
    const file = join(machine, `disk-${disks.length}.img`)
    writeFileSync(file, '')
    truncateSync(file, 32 * 2 ** 20)
    const device = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim()
    disks.push(device)
    return device
  }
  /** A claim that is bound to a volume of the same name. */
  const claim = async (name: string, source: object, volumeMode = 'Filesystem') => {
    const common = { accessModes: ['ReadWriteOnce'], volumeMode, storageClassName: '' }
    const size = { storage: '16Mi' }
    await apply({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name },
      spec: { ...common, volumeName: name, resources: { requests: size } },
    })
    const { uid } = (await cluster.get<KubeItem>(`pvc ${name}`)).metadata
    const required = {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
    }
    await apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        ...common,
        capacity: size,
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'default', name, uid },
        nodeAffinity: { required },
        ...source,
      },
    })
    const patch = JSON.stringify({ status: { phase: 'Bound' } })
    await kubectl(['patch', 'pvc', name, '--subresource=status', '--type=merge', '-p', patch])
  }
  const claimed = (name: string) => ({ name: 'data', persistentVolumeClaim: { claimName: name } })
  const atData = { volumeMounts: [{ name: 'data', mountPath: '/data' }] }
  /** Straight to the node: a scheduler would wait for the claim. */
  const here = { nodeName: node, tolerations: [{ operator: 'Exists' }] }
  const mountsOfPods = () =>
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${cluster.dataDir}/`) && /\/(pods\/[^/ ]+|plugins)\//.test(line))

  test('a disk of the node keeps what one pod wrote for the next', async () => {
    await claim('disk', { local: { path: disk() } })
    await pod('writer', 'echo kept > /data/file', [claimed('disk')], { container: atData, pod: here })
    await phase('writer', 'Succeeded')
    await remove('writer')
    await pod('reader', 'cat /data/file; sleep 1000', [claimed('disk')], { container: atData, pod: here })
    await phase('reader', 'Running')
    expect((await inPod('reader', 'cat /data/file')).stdout).toBe('kept\n')
    const summary = JSON.parse((await kubectl(`get --raw /api/v1/nodes/${node}/proxy/stats/summary`)).stdout) as {
      pods: { podRef: { name: string }; volume?: { name: string; pvcRef?: object; capacityBytes: number }[] }[]
    }
    const volume = summary.pods
      .find(({ podRef }) => podRef.name === 'reader')
      ?.volume?.find(({ name }) => name === 'data')
    expect(volume).toMatchObject({ pvcRef: { name: 'disk', namespace: 'default' } })
    expect(volume?.capacityBytes).toBeGreaterThan(20 * 2 ** 20)
    expect((await kubectl(`get --raw /api/v1/nodes/${node}/proxy/metrics`)).stdout).toMatch(
      /kubelet_volume_stats_capacity_bytes\{namespace="default",persistentvolumeclaim="disk"\} \d+/,
    )
    await remove('reader')
  })

  test('a block volume is a device in the container', async () => {
    await claim('raw', { local: { path: disk() } }, 'Block')
    const container = { volumeDevices: [{ name: 'data', devicePath: '/dev/xvda' }] }
    await pod('raw', 'test -b /dev/xvda && echo raw > /dev/xvda', [claimed('raw')], { container, pod: here })
    await phase('raw', 'Succeeded')
    expect(execFileSync('head', ['-c', '4', disks.at(-1) ?? ''], { encoding: 'utf8' })).toBe('raw\n')
    await remove('raw')
  })

  test('a pod whose claim is not bound says what it waits for, and goes on when it is', async () => {
    await pod('early', 'sleep 1000', [claimed('late')], { container: atData, pod: here })
    await warned('early', 'failed to fetch PVC from API server: persistentvolumeclaims "late" not found')
    const late = join(machine, 'late')
    mkdirSync(late)
    await claim('late', { hostPath: { path: late } })
    await phase('early', 'Running')
    await remove('early')
    expect(existsSync(late)).toBe(true)
  })

  test('what a node lacks for a kind of volume is said', async () => {
    if (existsSync('/sbin/mount.nfs')) return
    const files = { name: 'data', nfs: { server: '127.0.0.1', path: '/' } }
    await pod('nfs', 'true', [files], { container: atData, pod: here })
    await warned('nfs', 'mount.nfs is not installed on this node')
    await remove('nfs')
  })

  test('a part of a volume is never a part of the machine', async () => {
    const volumes = [{ name: 'data', emptyDir: {} }]
    const initContainers = [
      {
        name: 'attacker',
        image: 'gantry.local/box:1',
        command: ['sh', '-c', 'busybox ln -s /etc /data/link; busybox mkdir -p /data/dir; echo mine > /data/dir/file'],
        volumeMounts: atData.volumeMounts,
      },
    ]
    const part = (subPath: string) => ({ volumeMounts: [{ name: 'data', mountPath: '/part', subPath }] })
    await pod('honest', 'cat /part/file', volumes, { container: part('dir'), pod: { initContainers } })
    await phase('honest', 'Succeeded')
    expect((await kubectl('logs honest -c main')).stdout).toBe('mine\n')
    await pod('attack', 'cat /part/shadow', volumes, { container: part('link'), pod: { initContainers } })
    await warned('attack', 'failed to prepare subPath for volumeMount "data" of container "main"')
    await remove('honest')
    await remove('attack')
  })

  test('an image is mounted as a volume', async () => {
    const volumes = [{ name: 'data', image: { reference: 'gantry.local/box:1', pullPolicy: 'Never' } }]
    const script = 'ls /data/bin/busybox && ! touch /data/new && ls /sub/busybox'
    const volumeMounts = [...atData.volumeMounts, { name: 'data', mountPath: '/sub', subPath: 'bin' }]
    await pod('image', script, volumes, { container: { volumeMounts } })
    await phase('image', 'Succeeded')
    await remove('image')
  })

  test('a pod that writes more than it may is evicted, and says why', async () => {
    const volumes = [{ name: 'data', emptyDir: { sizeLimit: '1Mi' } }]
    await pod('greedy', 'busybox dd if=/dev/zero of=/data/file bs=1M count=4; sleep 1000', volumes, {
      container: atData,
    })
    const { status } = await phase('greedy', 'Failed')
    expect(status).toMatchObject({
      reason: 'Evicted',
      message: 'Usage of EmptyDir volume "data" exceeds the limit "1Mi". ',
    })
    await remove('greedy')
  })

  test('what is mounted on the node later shows in a container that wants it', async () => {
    const volumeMounts = [{ name: 'data', mountPath: '/data', mountPropagation: 'HostToContainer' }]
    await pod('later', 'sleep 1000', [{ name: 'data', emptyDir: {} }], { container: { volumeMounts } })
    const { metadata } = await phase('later', 'Running')
    const place = join(cluster.dataDir, 'nodes', node, 'pods', metadata.uid, 'volumes/kubernetes.io~empty-dir/data/in')
    mkdirSync(place)
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', place])
    writeFileSync(join(place, 'file'), 'seen')
    expect((await inPod('later', 'cat /data/in/file')).stdout).toBe('seen')
    // Somebody else's mount does not keep the pod, and goes with it.
    await remove('later')
  })

  test('an agent that is killed leaves no mount behind', async () => {
    await claim('crash', { local: { path: disk() } })
    const volumes = [claimed('crash'), { name: 'fast', emptyDir: { medium: 'Memory' } }]
    const volumeMounts = [
      { name: 'data', mountPath: '/part', subPath: 'a/b' },
      { name: 'fast', mountPath: '/fast' },
    ]
    await pod('crash', 'echo kept > /part/file; sleep 1000', volumes, { container: { volumeMounts }, pod: here })
    await phase('crash', 'Running')
    expect(mountsOfPods().length).toBeGreaterThanOrEqual(4)
    process.kill(cluster.pid(`agent-${node}`), 'SIGKILL')
    await kubectl('delete pod crash --grace-period=0 --force', { timeoutMs: 60_000 })
    await until(() => mountsOfPods().length === 0, { timeoutMs: 60_000, message: 'nothing is mounted' })
  })
})
