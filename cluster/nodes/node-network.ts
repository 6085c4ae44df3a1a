import { createHash } from 'node:crypto'
import { formatCidr, parseCidr } from '../../api/core/ip.ts'
import { nthAddress, prefixOf } from '../../node-agent/network/addresses.ts'
import { type Run, runCommand } from '../../node-agent/network/command.ts'
import { claimRanges } from './claims.ts'
import { freeSubnet } from './subnet.ts'

export interface NodeNetworkOptions {
  /** What tells this cluster from others on the machine: its data directory. Names of devices follow from it. */
  cluster: string
  count: number
  /** Where the nodes' addresses come from: `10.89.0.0/24`. Absent: the one there is, or the first that is free. */
  hostSubnet?: string
  /** Ranges that this machine reaches through the first node: services' and pods' addresses. */
  routes?: readonly string[]
  run?: Run
}

/** One node of several on this machine, in a network namespace of its own. */
export interface MachineNode {
  /** `node-1`, … */
  name: string
  address: string
  /** Goes before a command that is to run inside: other namespaces, and control groups, stay this process's. */
  enter: string[]
}

export interface NodeNetwork {
  hostSubnet: string
  /** This machine's own address among the nodes. */
  hostAddress: string
  nodes: readonly MachineNode[]
  /** Cuts a node off from all others and from this machine; what runs on it goes on. */
  partition(name: string): Promise<void>
  heal(name: string): Promise<void>
  /** Takes everything away; what still runs inside loses its network. */
  destroy(): Promise<void>
}

/**
 * Makes a bridge of this machine, and for each node a network namespace with a link to it. What an earlier start left is
 * adopted as it is, cut links included, so that pods that outlived it keep their network. Needs root. Throws when another
 * cluster, or somebody else, has one of the ranges.
 */
export async function createNodeNetwork(options: NodeNetworkOptions): Promise<NodeNetwork> {
  const { cluster, count, routes = [], run = runCommand } = options
  const names = namesOf(cluster)
  const present = await presentDevices(run)
  const standing = present.find(({ name }) => name === names.bridge)
  const taken = present.filter(({ name }) => name !== names.bridge).flatMap(({ subnets }) => subnets)
  const hostSubnet = networkOf(options.hostSubnet ?? standing?.subnets[0] ?? freeSubnet(taken))
  const hostAddress = nthAddress(hostSubnet, 1)
  const prefix = prefixOf(hostSubnet)
  if (count > 2 ** (32 - prefix) - firstNode - 2)
    throw new Error(`${count} nodes do not fit into ${hostSubnet}: give a larger --node-subnet`)
  await claimRanges(routes, names.bridge, run)
  if (!standing) await run('ip', ['link', 'add', 'name', names.bridge, 'type', 'bridge'])
  await run('ip', ['addr', 'replace', `${hostAddress}/${prefix}`, 'dev', names.bridge])
  await run('ip', ['link', 'set', 'dev', names.bridge, 'up'])

  const namespaces = new Set(await presentNamespaces(run))
  const nodes: MachineNode[] = []
  for (let n = 1; n <= count; n++) {
    const node = { name: `node-${n}`, address: nthAddress(hostSubnet, firstNode + n) }
    const namespace = names.namespace(n)
    const link = names.link(n)
    if (!namespaces.has(namespace)) await run('ip', ['netns', 'add', namespace])
    await run('ip', ['-n', namespace, 'link', 'set', 'dev', 'lo', 'up'])
    if (!present.some(({ name }) => name === link)) {
      const peer = ['peer', 'name', 'eth0', 'netns', namespace]
      await run('ip', ['link', 'add', 'name', link, 'type', 'veth', ...peer])
      await run('ip', ['link', 'set', 'dev', link, 'master', names.bridge, 'up'])
    }
    await run('ip', ['-n', namespace, 'addr', 'replace', `${node.address}/${prefix}`, 'dev', 'eth0'])
    await run('ip', ['-n', namespace, 'link', 'set', 'dev', 'eth0', 'up'])
    await run('ip', ['-n', namespace, 'route', 'replace', 'default', 'via', hostAddress])
    nodes.push({ ...node, enter: ['nsenter', `--net=/run/netns/${namespace}`] })
  }
  const [first] = nodes
  if (first) for (const range of routes) await run('ip', ['route', 'replace', range, 'via', first.address])

  const linkOf = (name: string) => {
    const n = nodes.findIndex((node) => node.name === name) + 1
    if (n === 0) throw new Error(`there is no node ${name}: there are ${nodes.map((node) => node.name).join(', ')}`)
    return names.link(n)
  }
  return {
    hostSubnet,
    hostAddress,
    nodes,
    partition: async (name) => void (await run('ip', ['link', 'set', 'dev', linkOf(name), 'down'])),
    heal: async (name) => void (await run('ip', ['link', 'set', 'dev', linkOf(name), 'up'])),
    destroy: () => destroyNodeNetwork(cluster, run),
  }
}

/** Takes away whatever is left of a cluster's nodes, however many there were; nothing to do when nothing is. */
export async function destroyNodeNetwork(cluster: string, run: Run = runCommand): Promise<void> {
  const names = namesOf(cluster)
  for (const { name } of await presentDevices(run))
    if (names.isLink(name)) await run('ip', ['link', 'del', 'dev', name])
  for (const namespace of await presentNamespaces(run))
    if (names.isNamespace(namespace)) await run('ip', ['netns', 'del', namespace])
  const left = await presentDevices(run)
  // Routes through the nodes go with it.
  if (left.some(({ name }) => name === names.bridge)) await run('ip', ['link', 'del', 'dev', names.bridge])
}

/** Node 1 has address .11, so that there is room for others of the machine below. */
const firstNode = 10

function networkOf(subnet: string): string {
  const parsed = parseCidr(subnet)
  if (parsed?.ip.family === 'IPv4') return formatCidr(parsed)
  throw new Error(`${JSON.stringify(subnet)} is not an IPv4 network: write it like 10.89.0.0/24`)
}

/** Devices' names have 15 letters at most. */
function namesOf(cluster: string) {
  const id = createHash('sha256').update(cluster).digest('hex').slice(0, 6)
  const link = `gn${id}n`
  const namespace = `gantry-${id}-node-`
  const numbered = (prefix: string) => (name: string) =>
    name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length))
  return {
    bridge: `gn${id}`,
    link: (n: number) => `${link}${n}`,
    isLink: numbered(link),
    namespace: (n: number) => `${namespace}${n}`,
    isNamespace: numbered(namespace),
  }
}

interface Device {
  name: string
  subnets: string[]
}

async function presentDevices(run: Run): Promise<Device[]> {
  const links: { ifname: string; addr_info: { family: string; local: string; prefixlen: number }[] }[] = JSON.parse(
    (await run('ip', ['-json', 'addr', 'show'])) || '[]',
  )
  return links.map(({ ifname, addr_info }) => ({
    name: ifname,
    subnets: addr_info.filter(({ family }) => family === 'inet').map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  }))
}

async function presentNamespaces(run: Run): Promise<string[]> {
  const listed: { name: string }[] = JSON.parse((await run('ip', ['-json', 'netns', 'list'])) || '[]')
  return listed.map(({ name }) => name)
}
