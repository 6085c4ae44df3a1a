import { expect, it } from 'vitest'
import { boundPod } from '../testing/builders.ts'
import type { MeasuredVolume } from '../volumes/manager.ts'
import type { ServerContext } from './types.ts'
import { localBytes, volumeMetrics, volumeStats } from './volume-stats.ts'

const usage = { timeMs: 0, usedBytes: 10, capacityBytes: 100, availableBytes: 90 }
const claim = { name: 'disk', namespace: 'default' }

it('shows a volume with the claim it stands for', () => {
  expect(volumeStats({ name: 'data', claim, usage: { ...usage, abnormal: true } })).toEqual({
    name: 'data',
    time: '1970-01-01T00:00:00Z',
    usedBytes: 10,
    capacityBytes: 100,
    availableBytes: 90,
    pvcRef: claim,
    volumeHealthStats: { abnormal: true },
  })
})

it('counts what lies on the disk of the node itself', () => {
  const volumes = [
    { name: 'scratch', emptyDir: {} },
    { name: 'fast', emptyDir: { medium: 'Memory' } },
    { name: 'settings', configMap: { name: 's' } },
    { name: 'data', persistentVolumeClaim: { claimName: 'disk' } },
  ]
  const measured = volumes.map(({ name }, i): MeasuredVolume => ({ name, usage: { timeMs: 0, usedBytes: 10 ** i } }))
  expect(localBytes(boundPod({ spec: { volumes } }), measured)).toBe(101)
})

it('has metrics of each claim, once', async () => {
  const context = {
    pods: { list: () => [boundPod({ name: 'a' }), boundPod({ name: 'b' })] },
    volumes: {
      usage: async () => [
        { name: 'data', claim, usage },
        { name: 'scratch', usage },
      ],
    },
  } as unknown as ServerContext
  const text = await volumeMetrics(context)
  const labels = '{namespace="default",persistentvolumeclaim="disk"}'
  expect(text.split('\n').filter((line) => !line.startsWith('#'))).toEqual([
    `kubelet_volume_stats_capacity_bytes${labels} 100`,
    `kubelet_volume_stats_available_bytes${labels} 90`,
    `kubelet_volume_stats_used_bytes${labels} 10`,
    '',
  ])
})
