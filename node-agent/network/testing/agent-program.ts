/** Runs a node's network over an API in memory; each line of standard input is a command, each of output its answer. */
import { setMaxListeners } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { EndpointSlice, Namespace, NetworkPolicy, Node, Pod, Service } from '../../../api/generated/types.ts'
import { InformerFactory } from '../../../client/informer.ts'
import { makeLogger } from '../../../client/logger.ts'
import { endpointSlices, namespaces, networkPolicies, nodes, pods, services } from '../../../client/resources.ts'
import { MemoryApi } from '../../../client/testing/memory-api.ts'
import type { Live, ResourceRef } from '../../../client/types.ts'
import { startNetwork } from '../start.ts'
import type { AgentCommand, AgentStart } from './agent.ts'

const refs = {
  Service: services,
  EndpointSlice: endpointSlices,
  Node: nodes,
  Pod: pods,
  Namespace: namespaces,
  NetworkPolicy: networkPolicies,
} as Record<string, ResourceRef<Kind>>

type Kind = Service | EndpointSlice | Node | Pod | Namespace | NetworkPolicy

async function main(start: AgentStart): Promise<void> {
  const api = new MemoryApi({
    fault: async ({ verb, resource }) => {
      const ms = start.slow?.[resource] ?? 0
      if (verb === 'list' && ms > 0) await delay(ms)
    },
  })
  for (const object of start.objects) await put(api, object)
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const network = await startNetwork({
    api,
    informers: new InformerFactory(api),
    events: { event: () => undefined },
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
    else if (command.op === 'starts') await network.podStarts(found(api, command.object), command.ip)
    else {
      const { namespace, name } = command.object.metadata
      await api.delete(refs[command.object.kind as string] as ResourceRef<Kind>, { namespace, name })
    }
    process.stdout.write('{}\n')
  }
  stop.abort()
  await network.stop()
  process.exit(0)
}

/** The pod as the API has it, with the uid that it gave. */
function found(api: MemoryApi, { metadata: { namespace, name } }: Live<Pod>): Live<Pod> {
  const stored = api.objects(pods).find(({ metadata }) => metadata.name === name && metadata.namespace === namespace)
  if (!stored) throw new Error(`there is no pod ${namespace}/${name}`)
  return stored
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
