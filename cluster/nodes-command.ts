import { parseArgs } from 'node:util'
import { rangesOf } from './components.ts'
import { layoutOf } from './layout.ts'
import { createNodeNetwork } from './nodes/index.ts'
import { readSettings } from './settings.ts'

/** What `gantry nodes` prints, as JSON, for `gantry up`. */
export interface PreparedNodes {
  /** Where the nodes reach this machine. */
  hostIp: string
  nodes: { name: string; ip: string; enter: string[] }[]
}

/** `gantry nodes`: makes the network namespaces of several nodes, or finds those that are there. */
export async function prepareNodes(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { 'data-dir': { type: 'string', default: '.gantry' } } })
  const layout = layoutOf(values['data-dir'])
  const settings = readSettings(layout.settings)
  if (!settings) {
    process.stderr.write('gantry nodes is for `gantry up` to call\n')
    return 2
  }
  const { pods, services } = rangesOf(settings.runtime)
  const network = await createNodeNetwork({
    cluster: layout.dataDir,
    count: settings.nodes,
    routes: [services, pods],
  })
  const prepared: PreparedNodes = {
    hostIp: network.hostAddress,
    nodes: network.nodes.map(({ name, address, enter }) => ({ name, ip: address, enter })),
  }
  process.stdout.write(`${JSON.stringify(prepared)}\n`)
  return 0
}
