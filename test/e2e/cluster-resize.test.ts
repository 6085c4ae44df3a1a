import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Pod } from '../../api/generated/types.ts'
import { buildBox, startCluster, type TestCluster, withoutContainers } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// Pods that get another size while they run, seen in the kernel's own files.

const why = withoutContainers()
const mi = 2 ** 20

describe.skipIf(why)(`pods of another size${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster

  beforeAll(async () => {
    cluster = await startCluster(['--runtime', 'containerd', '--quickstart'])
    await buildBox(cluster)
  }, 180_000)
  afterAll(async () => cluster?.down(), 120_000)

  const amounts = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } })
  const start = async (name: string, containers: object[]): Promise<void> => {
    const common = { image: 'gantry.local/box:1', command: ['/bin/sleep', '100000'] }
    const spec = { terminationGracePeriodSeconds: 0, containers: containers.map((each) => ({ ...common, ...each })) }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }
    await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(pod) })
    await cluster.kubectl(`wait --for=condition=Ready pod/${name} --timeout=60s`, { timeoutMs: 70_000 })
  }
  const resize = (name: string, containers: object[]) =>
    cluster.kubectl([
      'patch',
      'pod',
      name,
      '--subresource',
      'resize',
      '--patch',
      JSON.stringify({ spec: { containers } }),
    ])
  const get = (name: string) => cluster.get<Pod>(`pod ${name}`)
  const statusOf = (pod: Pod, container: string) =>
    pod.status?.containerStatuses?.find(({ name }) => name === container)
  const settled = (name: string) =>
    until(
      async () => {
        const pod = await get(name)
        const { conditions = [], observedGeneration } = pod.status ?? {}
        const open = conditions.some(({ type }) => type.startsWith('PodResize'))
        return observedGeneration === pod.metadata?.generation && !open ? pod : undefined
      },
      { timeoutMs: 30_000, everyMs: 200, message: `${name} has its size` },
    )

  test('get it in place, and one that must is started anew', async () => {
    const restarts = { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] }
    await start('both', [
      { name: 'stays', resources: amounts('50m', '40Mi') },
      { name: 'restarts', resources: amounts('50m', '40Mi'), ...restarts },
    ])
    const before = await get('both')
    expect(groupOf(before)).toMatchObject({ cpu: 100, memory: 80 * mi })
    await resize('both', [
      { name: 'stays', resources: amounts('150m', '60Mi') },
      { name: 'restarts', resources: amounts('20m', '30Mi') },
    ])
    const after = await settled('both')
    expect(groupOf(after)).toMatchObject({ cpu: 170, memory: 90 * mi })
    expect(groupOf(after, 'stays')).toMatchObject({ cpu: 150, memory: 60 * mi })
    expect(statusOf(after, 'stays')).toMatchObject({ restartCount: 0, resources: amounts('150m', '60Mi') })
    await until(async () => statusOf(await get('both'), 'restarts')?.restartCount === 1, {
      timeoutMs: 20_000,
      message: 'it is started anew',
    })
    const anew = await settled('both')
    expect(groupOf(anew, 'restarts')).toMatchObject({ cpu: 20, memory: 30 * mi })
    const { stdout } = await cluster.kubectl('get events --field-selector involvedObject.name=both')
    expect(stdout).toMatch(/ResizeStarted.*\n(.*\n)*.*ResizeCompleted/)
  })

  test('that do not fit wait as they are, also when the agent is killed meanwhile', async () => {
    await start('waits', [{ name: 'main', resources: amounts('50m', '40Mi') }])
    await resize('waits', [{ name: 'main', resources: amounts('70m', '40Mi') }])
    await settled('waits')
    const { allocatable = {} } = (
      await cluster.get<{ items: { status: { allocatable?: Record<string, string> } }[] }>('nodes')
    ).items[0]?.status ?? { allocatable: {} }
    const all = `${Number(allocatable.cpu ?? 1) * 1000 - 10}m`
    await resize('waits', [{ name: 'main', resources: { requests: { cpu: all }, limits: { cpu: all } } }])
    const pending = () =>
      until(async () => (await get('waits')).status?.conditions?.find(({ type }) => type === 'PodResizePending'), {
        timeoutMs: 20_000,
        message: 'it waits',
      })
    expect(await pending()).toMatchObject({ status: 'True', reason: 'Deferred' })
    const node = (await get('waits')).spec?.nodeName ?? ''
    const killed = cluster.pid(`agent-${node}`)
    process.kill(killed, 'SIGKILL')
    await until(() => cluster.pid(`agent-${node}`) !== killed, { timeoutMs: 30_000, message: 'another agent' })
    expect(await pending()).toMatchObject({ reason: 'Deferred' })
    const pod = await get('waits')
    expect(groupOf(pod)).toMatchObject({ cpu: 70, memory: 40 * mi })
    expect(statusOf(pod, 'main')).toMatchObject({ restartCount: 0, allocatedResources: { cpu: '70m', memory: '40Mi' } })

    await resize('waits', [{ name: 'main', resources: amounts('60m', '40Mi') }])
    expect(groupOf(await settled('waits'))).toMatchObject({ cpu: 60 })
  })

  test('keep the memory that they use', async () => {
    await start('fills', [{ name: 'main', resources: amounts('50m', '80Mi'), command: ['/bin/sh', '-c', fill] }])
    await until(async () => (await cluster.kubectl('logs fills')).stdout.includes('full'), {
      timeoutMs: 30_000,
      message: 'it is full',
    })
    await resize('fills', [{ name: 'main', resources: amounts('50m', '20Mi') }])
    const failed = await until(
      async () => (await get('fills')).status?.conditions?.find(({ reason }) => reason === 'Error'),
      { timeoutMs: 20_000, message: 'it says why not' },
    )
    expect(failed).toMatchObject({ type: 'PodResizeInProgress', status: 'True' })
    expect(failed.message).toMatch(/below current usage/)
    expect(groupOf(await get('fills'), 'main')).toMatchObject({ memory: 80 * mi })
  })
})

/** A word that a shell makes as long as 32 MiB. */
const fill =
  'a=1234567890123456; i=0; while [ $i -lt 21 ]; do a=$a$a; i=$((i+1)); done; echo full; while true; do /bin/sleep 1; done'

/** Of the pod's group or of one of its containers: the processor's limit in thousandths of a core, memory in bytes. */
function groupOf({ metadata, status }: Pod, container?: string): { cpu: number; memory: number } {
  const id = status?.containerStatuses?.find(({ name }) => name === container)?.containerID?.split('://')[1]
  const unified = existsSync('/sys/fs/cgroup/cgroup.controllers')
  const directory = (controller: string): string => {
    const root = unified ? '/sys/fs/cgroup' : join('/sys/fs/cgroup', controller)
    const pod = readdirSync(root, { recursive: true, withFileTypes: true }).find(
      (entry) => entry.isDirectory() && entry.name === `pod${metadata?.uid}`,
    )
    if (!pod) throw new Error(`the pod ${metadata?.name} has no group`)
    return join(pod.parentPath, pod.name, id ?? '')
  }
  const read = (controller: string, file: string) => readFileSync(join(directory(controller), file), 'utf8').trim()
  const quota = unified ? read('cpu', 'cpu.max').split(' ')[0] : read('cpu', 'cpu.cfs_quota_us')
  return {
    cpu: Number(quota) / 100,
    memory: Number(read('memory', unified ? 'memory.max' : 'memory.limit_in_bytes')),
  }
}
