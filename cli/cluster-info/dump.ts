import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Pod } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import { pathOf } from '../../client/client.ts'
import { pods as podKind } from '../../client/resources.ts'
import type { Live, ResourceRef } from '../../client/types.ts'
import { CliError } from '../errors.ts'
import { collectList, parseDuration } from '../flags.ts'
import type { Kinds } from '../kinds.ts'
import type { NamedObject } from '../objects.ts'
import { addOutputFlags, type OutputFlags } from '../print/output-flags.ts'
import { parseOutput, printObject } from '../print/printer.ts'
import type { Session } from '../session.ts'
import type { Verb } from '../verb.ts'

interface DumpFlags extends OutputFlags {
  allNamespaces?: boolean
  namespaces?: string[]
  outputDirectory?: string
  podRunningTimeout: string
}

/** What is shown of a namespace: the kind as `group/version Kind`, and the file. Pods come after. */
const shown = [
  ['v1', 'Event', 'events'],
  ['v1', 'ReplicationController', 'replication-controllers'],
  ['v1', 'Service', 'services'],
  ['apps/v1', 'DaemonSet', 'daemonsets'],
  ['apps/v1', 'Deployment', 'deployments'],
  ['apps/v1', 'ReplicaSet', 'replicasets'],
  ['v1', 'Pod', 'pods'],
] as const
const extensions: Readonly<Record<string, string>> = { json: '.json', yaml: '.yaml' }

/** Where what is shown goes: to a file of this name, or to standard output. */
type Write = (file: string, bytes: string | Uint8Array) => Promise<void> | undefined

type List = NamedObject & { items?: NamedObject[] }

export const dump: Verb<DumpFlags> & { summary: string } = {
  summary: 'all that tells what is wrong in a cluster: nodes, events, workloads, logs',
  usage: '',
  examples: ['gantry cluster-info dump', 'gantry cluster-info dump -A --output-directory=state'],
  define: (command) =>
    void addOutputFlags(command)
      .option('--output-directory <dir>', 'files in this directory; without, or for -, all on standard output')
      .option('--namespaces <names>', 'of these; without, of kube-system and the one you work in', collectList)
      .option('-A, --all-namespaces', 'of all')
      .option('--pod-running-timeout <duration>', 'has no effect: logs are shown as they are', '20s'),
  async run(session, args, flags) {
    if (args.length > 0) throw new CliError(`unexpected arguments: [${args.join(' ')}]`)
    if (!parseDuration(flags.podRunningTimeout))
      throw new CliError('--pod-running-timeout must be higher than zero: write 30s, 2m or 1h')
    const format = flags.output || (flags.template ? 'go-template' : 'json')
    const output = await parseOutput({ ...flags, output: format })
    const directory = flags.outputDirectory === '-' ? '' : (flags.outputDirectory ?? '')
    const writer = directory ? writerInto(directory) : undefined
    const write: Write = writer?.write ?? ((_file, bytes) => session.io.write('out', Buffer.from(bytes)))
    const kinds = await session.kinds()
    const show = async (file: string, kind: ResourceRef, namespace?: string): Promise<List> => {
      const list = await session.json<List>('GET', pathOf(kind, namespace))
      await write(`${file}${extensions[format] ?? '.txt'}`, printObject(output, list))
      return list
    }
    try {
      await show('nodes', kinds.of('v1', 'Node'))
      for (const namespace of await namespacesOf(session, kinds, flags)) {
        let last: List | undefined
        for (const [version, kind, file] of shown)
          last = await show(join(namespace, file), kinds.of(version, kind), namespace)
        for (const pod of (last?.items ?? []) as Live<Pod>[])
          await showLogs(session, pod, (bytes) => write(join(namespace, pod.metadata.name, 'logs.txt'), bytes))
      }
    } finally {
      writer?.close()
    }
    if (directory) session.io.out(`Cluster info dumped to ${directory}\n`)
    return 0
  },
}

async function namespacesOf(
  session: Session,
  kinds: Kinds,
  { allNamespaces, namespaces }: DumpFlags,
): Promise<readonly string[]> {
  if (!allNamespaces) return namespaces ?? ['kube-system', session.namespace]
  const { items = [] } = await session.json<List>('GET', pathOf(kinds.of('v1', 'Namespace')))
  return items.map(({ metadata }) => metadata.name)
}

/** A log that cannot be read says so in its place. */
async function showLogs(
  session: Session,
  { metadata: { name, namespace }, spec }: Live<Pod>,
  write: (bytes: string | Uint8Array) => Promise<void> | undefined,
): Promise<void> {
  for (const container of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    const of = `logs for container ${container.name} of pod ${namespace}/${name} ====\n`
    await write(`==== START ${of}`)
    try {
      const query = { container: container.name }
      const headers = { accept: '*/*' }
      const answer = await session.raw('GET', pathOf(podKind, namespace, name, 'log'), { query, headers, stream: true })
      for await (const chunk of answer) await write(chunk as Buffer)
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      await write(`Request log error: ${error.message}\n`)
    }
    await write(`==== END ${of}`)
  }
}

/** Writes files below a directory, one after the other; what comes for the same file in a row is added to it. */
function writerInto(directory: string): { write: Write; close(): void } {
  let open: { file: string; descriptor: number } | undefined
  const close = () => {
    if (open) closeSync(open.descriptor)
    open = undefined
  }
  return {
    close,
    write(file, bytes) {
      if (open?.file !== file) {
        close()
        const path = join(directory, file)
        mkdirSync(dirname(path), { recursive: true })
        open = { file, descriptor: openSync(path, 'w') }
      }
      writeSync((open as { descriptor: number }).descriptor, Buffer.from(bytes))
      return undefined
    },
  }
}
