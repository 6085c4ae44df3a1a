import { CliError } from '../errors.ts'
import { getObject, listObjects } from '../objects.ts'
import type { Verb } from '../verb.ts'
import {
  addTopFlags,
  checkSortBy,
  cpuText,
  inOrder,
  memoryText,
  plus,
  type TopFlags,
  topTable,
  type Usage,
} from './usage.ts'

interface TopPodFlags extends TopFlags {
  allNamespaces?: boolean
  containers?: boolean
  fieldSelector?: string
  sum?: boolean
}

/** A line of the table: a pod, or one of its containers. */
interface Line {
  key: string
  namespace: string
  names: string[]
  usage: Usage
}

export const topPods: Verb<TopPodFlags> & { summary: string } = {
  summary: 'what pods use',
  usage: '[NAME | -l LABELS]',
  examples: ['gantry top pods', 'gantry top pods -A --sort-by=memory', 'gantry top pod web-1 --containers'],
  define: (command) =>
    void addTopFlags(command)
      .option('-A, --all-namespaces', 'those of every namespace')
      .option('--containers', 'each container by itself')
      .option('--field-selector <fields>', 'only those with these fields')
      .option('--sum', 'all together in a last line'),
  async run(session, args, flags) {
    checkSortBy(flags)
    if (args.length > 1) throw new CliError(`only one pod can be named, not ${args.length}`)
    const [name] = args
    if (name && flags.selector) throw new CliError('only one of NAME or --selector can be provided')
    const kind = (await session.kinds()).named('pods.metrics.k8s.io')
    const namespace = flags.allNamespaces ? undefined : session.namespace
    const { selector: labelSelector, fieldSelector } = flags
    const measured = name
      ? [await getObject(session, kind, name, session.namespace)]
      : await listObjects(session, kind, { namespace, labelSelector, fieldSelector })
    if (measured.length === 0) {
      session.io.err(flags.allNamespaces ? 'No resources found\n' : `No resources found in ${namespace} namespace.\n`)
      return 0
    }
    const pods = measured.map(({ metadata, containers }) => {
      const own = containers as { name: string; usage: Usage }[]
      const usage = own.reduce<Usage>((total, one) => plus(total, one.usage), {})
      return { key: `${metadata.namespace}/${metadata.name}`, metadata, own, usage }
    })
    const lines = inOrder(pods, flags.sortBy).flatMap(({ key, metadata, own, usage }): Line[] => {
      const line = (names: string[], used: Usage) => ({ key, namespace: metadata.namespace ?? '', names, usage: used })
      return flags.containers
        ? own.map((one) => line([metadata.name, one.name], one.usage))
        : [line([metadata.name], usage)]
    })
    const amounts = (usage: Usage) => [
      cpuText(usage),
      memoryText(usage),
      ...(flags.showSwap ? [memoryText(usage, 'swap')] : []),
    ]
    const named = (texts: string[], where: string) => (flags.allNamespaces ? [where, ...texts] : texts)
    const rows = lines.map(({ namespace: where, names, usage }) => [...named(names, where), ...amounts(usage)])
    if (flags.sum) {
      const blank = named(flags.containers ? ['', ''] : [''], '')
      const total = lines.reduce<Usage>((sum, { usage }) => plus(sum, usage), {})
      rows.push([...blank, ...amounts(total).map(() => '________')], [...blank, ...amounts(total)])
    }
    const header = [
      ...named(flags.containers ? ['POD', 'NAME'] : ['NAME'], 'NAMESPACE'),
      'CPU(cores)',
      'MEMORY(bytes)',
      ...(flags.showSwap ? ['SWAP(bytes)'] : []),
    ]
    session.io.out(topTable(flags.headers ? [header, ...rows] : rows))
    return 0
  },
}
