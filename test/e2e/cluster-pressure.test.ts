import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildBox, type KubeItem, startCluster, type TestCluster, withoutContainers } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// A node whose disk gets full: all of the cluster lies on a small file system of its own.

const why = withoutContainers()
const node = hostname().toLowerCase()
const Mi = 2 ** 20

describe.skipIf(why)(`a node whose disk is full${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster
  let machine: string
  const home = tmpdir()

  beforeAll(async () => {
    machine = mkdtempSync(join(home, 'gantry-machine-'))
    const image = join(machine, 'disk.img')
    writeFileSync(image, '')
    truncateSync(image, 2048 * Mi)
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', image])
    execFileSync('mkdir', [join(machine, 'disk')])
    execFileSync('mount', ['-o', 'loop', image, join(machine, 'disk')])
    process.env.TMPDIR = join(machine, 'disk')
    const hold = '--extra-config=node-agent.eviction-pressure-transition-period=15s'
    cluster = await startCluster(['--runtime', 'containerd', '--quickstart', hold])
    await buildBox(cluster)
  }, 180_000)
  afterAll(async () => {
    await cluster?.down()
    process.env.TMPDIR = home
    execFileSync('umount', [join(machine, 'disk')])
    rmSync(machine, { recursive: true, force: true })
  }, 120_000)

  const pod = (name: string, script: string, more: object = {}) =>
    cluster.kubectl(['apply', '-f', '-'], {
      input: JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'main',
              image: 'gantry.local/box:1',
              command: ['sh', '-c', script],
              volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
            },
          ],
          volumes: [{ name: 'scratch', emptyDir: {} }],
          ...more,
        },
      }),
    })
  type Told = KubeItem & { status: { reason?: string; message?: string } }
  const isPhase = (name: string, wanted: string) =>
    until(
      async () => {
        const found = await cluster.get<Told>(`pod ${name}`)
        return found.status.phase === wanted ? found : undefined
      },
      { timeoutMs: 90_000, everyMs: 200, message: `pod ${name} is ${wanted}` },
    )
  const hasPressure = async () =>
    (await cluster.get<KubeItem>(`node ${node}`)).status.conditions?.find(({ type }) => type === 'DiskPressure')
      ?.status === 'True'
  const taints = async () => {
    const { spec } = await cluster.get<{ spec: { taints?: { key: string; effect: string }[] } }>(`node ${node}`)
    return spec.taints ?? []
  }

  test('ends the pod that has written most, keeps others away meanwhile, and takes pods again', async () => {
    await pod('bystander', 'echo here > /scratch/file; sleep 1000')
    await isPhase('bystander', 'Running')
    const free = execFileSync('stat', ['-f', '-c', '%a %S', join(machine, 'disk')], { encoding: 'utf8' })
    const [blocks = 0, size = 0] = free.trim().split(' ').map(Number)
    const bytes = blocks * size - 100 * Mi
    await pod('greedy', `busybox fallocate -l ${bytes} /scratch/file; sleep 1000`)

    const { status } = await isPhase('greedy', 'Failed')
    expect(status.reason).toBe('Evicted')
    expect(status.message).toMatch(
      /^The node was low on resource: ephemeral-storage\. Threshold quantity: \S+, available: \S+\. /,
    )
    await until(hasPressure, { timeoutMs: 30_000, everyMs: 100, message: 'the node says so' })
    await until(async () => (await taints()).some(({ key }) => key === 'node.kubernetes.io/disk-pressure'), {
      message: 'the node is tainted',
    })
    await pod('direct', 'true', { nodeName: node })
    expect((await isPhase('direct', 'Failed')).status.message).toContain('The node had condition: [DiskPressure]. ')
    await pod('patient', 'sleep 1000')
    expect((await cluster.get<KubeItem>('pod bystander')).status.phase).toBe('Running')

    await until(async () => !(await hasPressure()), { timeoutMs: 60_000, everyMs: 300, message: 'the pressure passes' })
    await isPhase('patient', 'Running')
    expect(await taints()).toEqual([])
    const events = (await cluster.kubectl('get events -A')).stdout
    for (const reason of ['EvictionThresholdMet', 'NodeHasDiskPressure', 'NodeHasNoDiskPressure', 'Evicted']) {
      expect(events).toContain(reason)
    }
  }, 240_000)
})
