import type { CSIDriver, CSINode, Node } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import { csiDrivers, csiNodes, nodes } from '../../client/resources.ts'
import type { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'

/** The driver of tests. */
export const driverName = 'd.example'

/** What a driver is asked, in the order it is asked. */
export interface Asked {
  node: string
  method: string
  message: Record<string, unknown>
}

/** A refusal as an agent passes it on. */
export const refusedBy = (code: string, message = 'no'): StatusError =>
  new StatusError(502, 'BadGateway', message, { causes: [{ reason: code, message }] })

/** Plays a driver behind the agents of nodes. Each method answers what its function gives, or refuses what it throws. */
export async function playDriver(
  api: MemoryApi,
  methods: Record<string, (message: Record<string, unknown>, node: string) => object>,
  { nodeNames = ['a'], spec = {} }: { nodeNames?: readonly string[]; spec?: CSIDriver['spec'] } = {},
): Promise<Asked[]> {
  const asked: Asked[] = []
  for (const [method, answer] of Object.entries(methods)) {
    api.posts.set(`nodes/proxy/csi/${driverName}/${method}`, ({ name }, body) => {
      const message = body as Record<string, unknown>
      asked.push({ node: name, method, message })
      return answer(message, name)
    })
  }
  const metadata = { name: driverName, annotations: { 'gantry.dev/csi-controllers': 'built-in' } }
  await api.create<CSIDriver>(csiDrivers, { metadata, spec })
  for (const name of nodeNames) await addDriverNode(api, name)
  return asked
}

/** A ready node where the driver is registered. */
export async function addDriverNode(api: MemoryApi, name: string): Promise<void> {
  const driver = { name: driverName, nodeID: `id-of-${name}`, topologyKeys: ['example/node'] }
  const node: Live<Node> = {
    metadata: { name, labels: { 'example/node': name } },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  }
  await api.create<Node>(nodes, node)
  await api.create<CSINode>(csiNodes, { metadata: { name }, spec: { drivers: [driver] } })
}
