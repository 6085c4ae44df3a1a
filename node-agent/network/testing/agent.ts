import { once } from 'node:events'
import type { EndpointSlice, Namespace, NetworkPolicy, Node, Pod, Service } from '../../../api/generated/types.ts'
import type { Live } from '../../../client/types.ts'
import type { NetworkOptions } from '../network.ts'
import { startProgram } from './programs.ts'

type Kind = Live<Service> | Live<EndpointSlice> | Live<Node> | Live<Pod> | Live<Namespace> | Live<NetworkPolicy>

export interface AgentStart {
  podCidr: string
  objects: Kind[]
  /** How long the API takes to list these; by resource. */
  slow?: Readonly<Record<string, number>>
  options: Pick<NetworkOptions, 'nodeName' | 'nodeIp' | 'dataDir' | 'cniConfDir' | 'resolvConf'>
}

export type AgentCommand = { op: 'put' | 'delete'; object: Kind } | { op: 'starts'; object: Live<Pod>; ip: string }

/** A node's network in a process of its own, in a namespace; its API is in its memory. */
export interface TestAgent {
  put(...objects: Kind[]): Promise<void>
  delete(object: Kind): Promise<void>
  /** A pod of the node has its address, and is about to run; resolves when it may. */
  starts(object: Live<Pod>, ip: string): Promise<void>
  /** As a crash does. */
  kill(): Promise<void>
  /** As a stop does. */
  stop(): Promise<void>
}

export async function startAgent(enter: readonly string[], start: AgentStart): Promise<TestAgent> {
  const program = startProgram('agent-program', enter, [JSON.stringify(start)])
  await Promise.race([
    once(program.lines, 'line'),
    once(program.child, 'exit').then(([code]) => {
      throw new Error(`the agent ended with ${code}`)
    }),
  ])
  const tell = async (command: AgentCommand) => {
    const answered = once(program.lines, 'line')
    program.write(command)
    await answered
  }
  return {
    async put(...objects) {
      for (const object of objects) await tell({ op: 'put', object })
    },
    delete: (object) => tell({ op: 'delete', object }),
    starts: (object, ip) => tell({ op: 'starts', object, ip }),
    kill: () => program.end(),
    async stop() {
      const ended = once(program.child, 'exit')
      program.child.stdin?.end()
      await ended
    },
  }
}
