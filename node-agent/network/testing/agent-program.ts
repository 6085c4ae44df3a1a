/** Runs a node's network over an API in memory; each line of standard input is a command, each of output its answer. */
import { createInterface } from 'node:readline'
import type { EndpointSlice, Node, Service } from '../../../api/generated/types.ts'
import { InformerFactory } from '../../../client/informer.ts'
import { makeLogger } from '../../../client/logger.ts'
import { endpointSlices, nodes, services } from '../../../client/resources.ts'
import { MemoryApi } from '../../../client/testing/memory-api.ts'
import type { Live, ResourceRef } from '../../../client/types.ts'
import { startNetwork } from '../start.ts'
import type { AgentCommand, AgentStart } from './agent.ts'

const refs = { Service: services, EndpointSlice: endpointSlices, Node: nodes } as Record<string, ResourceRef<Kind>>

type Kind = Service | EndpointSlice | Node

async function main(start: AgentStart): Promise<void> {
  const api = new MemoryApi()
  for (const object of start.objects) await put(api, object)
  const stop = new AbortController()
  const network = await startNetwork({
    api,
    informers: new InformerFactory(api),
    cniBinDir: '/nowhere',
    clusterCidr: '10.244.0.0/16',
    serviceCidr: '10.96.0.0/16',
    clusterDns: '10.96.0.10',
    clusterDomain: 'cluster.local',
    proxy: true,
    dns: true,
    runtimeKind: 'containerd',
    log: makeLogger('agent', process.env.GANTRY_TEST_LOG ?? 'error'),
    signal: stop.signal,
    ...start.options,
  })
  await network.podCidrChanged(start.podCidr)
  process.stdout.write('{"ready":true}\n')
  for await (const line of createInterface(process.stdin)) {
    const command = JSON.parse(line) as AgentCommand
    if (command.op === 'put') await put(api, command.object)
    else if (command.op === 'delete') {
      const { namespace, name } = command.object.metadata
      await api.delete(refs[command.object.kind as string] as ResourceRef<Kind>, { namespace, name })
    }
    process.stdout.write('{}\n')
  }
  stop.abort()
  await network.stop()
  process.exit(0)
}

async function put(api: MemoryApi, object: Live<Kind>): Promise<void> {
  const ref = refs[object.kind as string] as ResourceRef<Kind>
  const { namespace, name } = object.metadata
  if (!api.objects(ref).some(({ metadata }) => metadata.name === name && metadata.namespace === namespace))
    await api.create(ref, structuredClone(object))
  api.edit(ref, { namespace, name }, (stored) => {
    const { metadata, ...rest } = object
    Object.assign(stored, rest)
    if (metadata.labels) stored.metadata.labels = metadata.labels
  })
}

await main(JSON.parse(process.argv[2] as string))
