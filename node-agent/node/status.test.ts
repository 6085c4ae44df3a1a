import { describe, expect, it } from 'vitest'
import type { Node } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { parseThresholds } from '../eviction/thresholds.ts'
import { nodeConditions } from './conditions.ts'
import type { Machine } from './machine.ts'
import { newNode, nodeStatusPatch, standingStatus } from './status.ts'

const gib = 2 ** 30
const machine: Machine = {
  cores: 4,
  memoryBytes: 8 * gib,
  info: {
    architecture: 'amd64',
    bootID: 'b',
    kernelVersion: '6',
    machineID: 'm',
    operatingSystem: 'linux',
    osImage: 'Debian',
    systemUUID: 's',
  },
}
const identity = {
  name: 'n1',
  hostname: 'n1',
  addresses: ['192.0.2.1'],
  labels: { zone: 'a' },
  taints: [],
  maxPods: 110,
  port: 10250,
  runtime: { name: 'process', version: '1' },
}
const none = { memory: false, disk: false, pid: false }

describe('a node', () => {
  it('says what it has and which runtime it is', () => {
    const status = standingStatus(machine, 100 * gib, identity, parseThresholds('memory.available<100Mi'))
    expect(status).toMatchObject({
      capacity: { cpu: '4', memory: `${8 * 1024 * 1024}Ki`, pods: '110' },
      allocatable: { memory: `${8 * 1024 * 1024 - 100 * 1024}Ki` },
      nodeInfo: { containerRuntimeVersion: 'process://1' },
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    })
    expect(newNode(identity, status).metadata?.labels).toMatchObject({
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': 'n1',
      zone: 'a',
    })
  })

  it('is ready when nothing is wrong, and else says what', () => {
    const ready = nodeConditions(none, [], [], 0).at(-1)
    expect(ready).toMatchObject({ type: 'Ready', status: 'True', reason: 'KubeletReady' })
    const not = nodeConditions(none, ['container runtime is down'], [], 0).at(-1)
    expect(not).toMatchObject({ status: 'False', reason: 'KubeletNotReady', message: 'container runtime is down' })
  })

  it('writes only what has changed, and its heartbeat when that is due', () => {
    const conditions = nodeConditions(none, [], [], 0)
    const node: Live<Node> = { metadata: { name: 'n1' }, status: { conditions, images: [] } }
    const later = { conditions: nodeConditions(none, [], conditions, 10_000), images: [] }
    expect(nodeStatusPatch(node, later, false)).toBeUndefined()
    expect(Object.keys(nodeStatusPatch(node, later, true) ?? {})).toEqual(['conditions'])
    const sick = { conditions: nodeConditions(none, ['down'], conditions, 10_000), images: [] }
    expect(nodeStatusPatch(node, sick, false)).toBeDefined()
  })
})
