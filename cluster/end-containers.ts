import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { removeNetwork } from '../node-agent/network/index.ts'
import { releaseNode } from '../node-agent/release.ts'
import { hasNamespaces, nodeNames, rangesOf } from './components.ts'
import { gantryCommand } from './gantry-program.ts'
import { type Layout, layoutOf } from './layout.ts'
import { withNodeRuntime } from './node-runtime.ts'
import { createNodeNetwork, destroyNodeNetwork } from './nodes/index.ts'
import { readSettings, type Settings } from './settings.ts'

/** How long a container may take to end when its cluster does, in seconds. */
const graceSeconds = 5

/**
 * Ends every container of a cluster whose agents have ended, the runtimes that ran them, and the network of its nodes.
 * Returns how many pods there were.
 */
export async function endContainers(layout: Layout, settings: Settings): Promise<number> {
  const names = nodeNames(settings.nodes)
  if (!hasNamespaces(settings)) {
    const counts = await Promise.all(names.map((name) => endContainersOf(layout, name, settings)))
    return sum(counts)
  }
  // A node's containers are taken off its network from inside.
  const { nodes } = await createNodeNetwork({ cluster: layout.dataDir, count: settings.nodes })
  const counts = await Promise.all(nodes.map(({ name, enter }) => askWithin(enter, layout, name)))
  await destroyNodeNetwork(layout.dataDir)
  return sum(counts)
}

/** `gantry end-containers`: does it for one node, whose network namespace it was started in. Prints the count. */
export async function endContainersCommand(args: readonly string[]): Promise<number> {
  const options = { 'data-dir': { type: 'string' }, node: { type: 'string' } } as const
  const { values } = parseArgs({ args: [...args], options })
  const layout = layoutOf(values['data-dir'] ?? '.gantry')
  const settings = readSettings(layout.settings)
  if (!settings || values.node === undefined) {
    process.stderr.write('gantry end-containers is for `gantry down` to call\n')
    return 2
  }
  process.stdout.write(`${await endContainersOf(layout, values.node, settings)}\n`)
  return 0
}

function askWithin(enter: readonly string[], layout: Layout, name: string): Promise<number> {
  const command = [...enter, ...gantryCommand('end-containers', ['--data-dir', layout.dataDir, '--node', name])]
  return new Promise((resolve, reject) => {
    const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(Number(said.trim()))
      else reject(new Error(`the containers of ${name} could not be ended`))
    })
  })
}

async function endContainersOf(layout: Layout, nodeName: string, settings: Settings): Promise<number> {
  const root = layout.node(nodeName)
  const { runtime: kind } = settings
  if (!existsSync(join(root, 'runtime'))) return 0
  try {
    return await withNodeRuntime(layout, settings, nodeName, async ({ cri }) => {
      const [sandboxes, containers] = await Promise.all([cri.listPodSandbox({}), cri.listContainers({})])
      await Promise.all(
        containers
          .filter(({ state }) => state === 'CONTAINER_RUNNING')
          .map(({ id }) => cri.stopContainer(id, graceSeconds)),
      )
      await Promise.all(
        sandboxes.map(async ({ id }) => {
          await cri.stopPodSandbox(id)
          await cri.removePodSandbox(id)
        }),
      )
      if (kind === 'containerd')
        await releaseNode({ rootDir: root, podUids: sandboxes.map(({ metadata }) => metadata.uid) })
      return sandboxes.length
    })
  } finally {
    if (kind === 'containerd') await removeNetwork({ dataDir: root, clusterCidr: rangesOf(kind).pods })
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
