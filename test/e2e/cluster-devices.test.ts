import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestDeviceDriver } from '../../node-agent/devices/testing/test-driver.ts'
import { buildBox, startCluster, type TestCluster, withoutContainers } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// A driver of devices on a real node: what it describes in its file is in the container of the pod that got the device.

const why = withoutContainers()
const name = 'gpu.test.example'
const cdi = '/var/run/cdi'

describe.skipIf(why)(`a driver of devices${why ? ` (${why})` : ''}`, () => {
  let cluster: TestCluster
  let driver: TestDeviceDriver
  let machine: string
  const description = join(cdi, `gantry-test-${process.pid}.json`)

  beforeAll(async () => {
    machine = mkdtempSync(join(tmpdir(), 'gantry-devices-'))
    cluster = await startCluster(['--runtime', 'containerd', '--quickstart'])
    await buildBox(cluster)
    driver = await TestDeviceDriver.start(machine, name)
    const { stdout: node } = await cluster.kubectl('get nodes -o jsonpath={.items[0].metadata.name}')
    await driver.register(join(cluster.dataDir, 'nodes', node, 'plugins_registry'))
    await apply(
      {
        apiVersion: 'resource.k8s.io/v1',
        kind: 'DeviceClass',
        metadata: { name: 'gpus' },
        spec: { selectors: [{ cel: { expression: `device.driver == "${name}"` } }] },
      },
      {
        apiVersion: 'resource.k8s.io/v1',
        kind: 'ResourceSlice',
        metadata: { name: 'gpus' },
        spec: {
          driver: name,
          nodeName: node,
          pool: { name: 'node', generation: 1, resourceSliceCount: 1 },
          devices: [{ name: 'gpu-0' }],
        },
      },
      {
        apiVersion: 'resource.k8s.io/v1',
        kind: 'ResourceClaim',
        metadata: { name: 'mine' },
        spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpus' } }] } },
      },
    )
    // As a driver does when it prepares a claim.
    mkdirSync(cdi, { recursive: true })
    const edits = { env: ['MODEL=big'], deviceNodes: [{ path: '/dev/gpu0', hostPath: '/dev/null' }] }
    const device = { name: 'mine', containerEdits: edits }
    writeFileSync(description, JSON.stringify({ cdiVersion: '0.6.0', kind: `${name}/gpu`, devices: [device] }))
  }, 240_000)
  afterAll(async () => {
    await cluster?.down()
    driver?.stop()
    rmSync(description, { force: true })
    rmSync(machine, { recursive: true, force: true })
  }, 120_000)

  const apply = (...items: object[]) =>
    cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })

  test('its device is in the container that asks for it, and is given back when the pod goes', async () => {
    const container = (which: string, more: object) => ({
      name: which,
      image: 'gantry.local/box:1',
      command: ['sh', '-c', 'echo "model=$MODEL"; ls /dev; sleep 10000'],
      ...more,
    })
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'trainer' },
      spec: {
        terminationGracePeriodSeconds: 1,
        resourceClaims: [{ name: 'gpu', resourceClaimName: 'mine' }],
        containers: [container('train', { resources: { claims: [{ name: 'gpu' }] } }), container('beside', {})],
      },
    })
    await cluster.kubectl('wait pod/trainer --for=condition=Ready --timeout=60s')
    const logs = async (which: string) => (await cluster.kubectl(`logs trainer -c ${which}`)).stdout
    const seen = await until(async () => (await logs('train')).includes('zero') && logs('train'))
    expect(seen).toContain('model=big')
    expect(seen.split('\n')).toContain('gpu0')
    expect((await logs('beside')).split('\n')).not.toContain('gpu0')
    expect(driver.calls).toEqual(['prepare mine'])

    await cluster.kubectl('delete pod trainer --timeout=60s')
    expect(driver.calls).toEqual(['prepare mine', 'unprepare mine'])
    const state = async () => (await cluster.kubectl('get resourceclaim mine')).stdout
    await until(async () => (await state()).includes('pending'), { message: 'the claim has no device any more' })
  }, 180_000)

  test('a pod whose device cannot be made ready is told why', async () => {
    driver.refusal = 'too warm'
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'waiting' },
      spec: {
        terminationGracePeriodSeconds: 1,
        resourceClaims: [{ name: 'gpu', resourceClaimName: 'mine' }],
        containers: [{ name: 'c', image: 'gantry.local/box:1', command: ['sleep', '10000'] }],
      },
    })
    const told = async () =>
      (await cluster.kubectl('get events --field-selector reason=FailedPrepareDynamicResources')).stdout
    await until(async () => (await told()).includes('NodePrepareResources failed for ResourceClaim mine: too warm'))
    driver.refusal = ''
    await cluster.kubectl('wait pod/waiting --for=condition=Ready --timeout=60s')
    await cluster.kubectl('delete pod waiting --timeout=60s')
  }, 180_000)
})
