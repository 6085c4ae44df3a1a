import type { Node } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { CliError } from '../errors.ts'
import { getObject, listObjects } from '../objects.ts'
import type { Verb } from '../verb.ts'
import type { Usage } from './usage.ts'
import { addTopFlags, checkSortBy, cpuText, inOrder, memoryText, share, type TopFlags, topTable } from './usage.ts'

interface TopNodeFlags extends TopFlags {
  showCapacity?: boolean
}

const unknown = '<unknown>'

export const topNodes: Verb<TopNodeFlags> & { summary: string } = {
  summary: 'what nodes use, and how much of what they have that is',
  usage: '[NAME | -l LABELS]',
  examples: ['gantry top nodes', 'gantry top node node-1'],
  define: (command) =>
    void addTopFlags(command).option('--show-capacity', 'of all that a node has, not of what pods may have'),
  async run(session, args, flags) {
    checkSortBy(flags)
    if (args.length > 1) throw new CliError(`only one node can be named, not ${args.length}`)
    const [name] = args
    if (name && flags.selector) throw new CliError('only one of NAME or --selector can be provided')
    const kinds = await session.kinds()
    const metrics = kinds.named('nodes.metrics.k8s.io')
    const selection = { labelSelector: flags.selector }
    const measured = name ? [await getObject(session, metrics, name)] : await listObjects(session, metrics, selection)
    const nodeKind = kinds.named('nodes')
    const nodes = (name
      ? [await getObject(session, nodeKind, name)]
      : await listObjects(session, nodeKind, selection)) as unknown as Live<Node>[]
    if (nodes.length === 0) {
      session.io.err('No resources found\n')
      return 0
    }
    const usages = new Map(measured.map(({ metadata, usage }) => [metadata.name, usage as Usage]))
    const known = nodes.flatMap(({ metadata, status }) => {
      const usage = usages.get(metadata.name)
      const has = (flags.showCapacity ? status?.capacity : status?.allocatable) ?? {}
      return usage ? [{ key: metadata.name, usage, has, swap: status?.nodeInfo?.swap?.capacity }] : []
    })
    const rows = inOrder(known, flags.sortBy).map(({ key, usage, has, swap }) => [
      key,
      cpuText(usage),
      share(usage.cpu, has.cpu) ?? unknown,
      memoryText(usage),
      share(usage.memory, has.memory) ?? unknown,
      ...(flags.showSwap
        ? [
            usage.swap ? memoryText(usage, 'swap') : unknown,
            share(usage.swap, swap === undefined ? undefined : String(swap)) ?? unknown,
          ]
        : []),
    ])
    // A node that does not answer is shown as one of which nothing is known.
    for (const { metadata } of nodes.filter((node) => !usages.has(node.metadata.name)))
      rows.push([metadata.name, ...Array.from({ length: flags.showSwap ? 6 : 4 }, () => unknown)])
    const header = ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)']
    if (flags.showSwap) header.push('SWAP(bytes)', 'SWAP(%)')
    session.io.out(topTable(flags.headers ? [header, ...rows] : rows))
    return 0
  },
}
