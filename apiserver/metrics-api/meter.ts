import { setTimeout as delay } from 'node:timers/promises'
import type { Node } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { agentAddress, agentConnections, askAgent, type NodeAgentClient } from '../node-agents/connection.ts'
import type { ServerCore } from '../server.ts'
import { Collector } from './collector.ts'
import { readNodeSample } from './exposition.ts'
import type { NodeUsage } from './rates.ts'

const agentTimeoutMs = 5000

/** Measures what nodes and their pods use, for all who want to know. */
export interface Meter {
  /** What is used on those of the nodes that are well. */
  usageOn(wanted: Iterable<string>): Promise<Map<string, NodeUsage>>
  /** The nodes that are well. */
  ready(): Set<string>
}

/** A meter that asks the nodes' agents. */
export function createMeter(
  { client, lookup, now }: Pick<ServerCore, 'client' | 'lookup' | 'now'>,
  agents: NodeAgentClient,
  onError: (error: unknown, what: string) => void,
): Meter {
  const nodeKind = lookup('', 'nodes')
  const connections = agentConnections(agents)
  const collector = new Collector({
    async sample(name) {
      const node = client.cached<Stored<Node>>(nodeKind, '', name)
      if (!node) throw new Error('there is no such node')
      return readNodeSample(
        await askAgent(connections, agentAddress(node, agents), '/metrics/resource', agentTimeoutMs),
        now(),
      )
    },
    now,
    sleep: (ms) => delay(ms),
    onError: (error, node) => onError(error, `measuring node ${node}`),
  })
  const ready = () => {
    const nodes = client.cachedList<Stored<Node>>(nodeKind, '')
    collector.keepOnly(new Set(nodes.map(({ metadata }) => metadata.name ?? '')))
    return new Set(nodes.filter(isReady).map(({ metadata }) => metadata.name ?? ''))
  }
  return {
    ready,
    usageOn(wanted) {
      const well = ready()
      return collector.usageOf([...wanted].filter((node) => well.has(node)))
    },
  }
}

const isReady = ({ status }: Stored<Node>): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false
