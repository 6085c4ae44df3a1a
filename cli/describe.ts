import type { Command } from 'commander'
import { isNotFound } from '../client/errors.ts'
import { describeObject } from './describe/describe-object.ts'
import { CliError, explain } from './errors.ts'
import { addFileFlags, areGiven, type FileFlags } from './flags.ts'
import type { ServedKind } from './kinds.ts'
import { manifestsGiven } from './manifests-given.ts'
import { nameHint } from './mistakes/in-names.ts'
import { getObject, listObjects, type NamedObject, namespaceFor, type Selection } from './objects.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'
import type { Verb } from './verb.ts'
import type { Subject } from './workloads.ts'

interface DescribeFlags extends FileFlags {
  selector?: string
  allNamespaces?: boolean
  showEvents?: boolean
  chunkSize?: string
}

/** One object by name. */
interface Named {
  kind: ServedKind
  name: string
  namespace: string | undefined
}

export const describe: Verb<DescribeFlags> = {
  usage: '(-f FILE | TYPE [NAME_PREFIX | -l LABELS] | TYPE/NAME)',
  examples: ['gantry describe pod web-1', 'gantry describe deployment/web', 'gantry describe nodes'],
  define(command: Command) {
    addFileFlags(command)
      .option('-l, --selector <labels>', 'only objects with these labels: app=web,tier!=db')
      .option('-A, --all-namespaces', 'objects of every namespace')
      .option('--show-events', 'with their events; without the flag, of a single object')
      .option('--no-show-events', 'without')
      .option('--chunk-size <n>', 'objects to ask for at once; 0 for all')
  },
  async run(session, args, flags) {
    if (args.length === 0 && !areGiven(flags))
      throw new CliError(
        'You must specify the type of resource to describe: `gantry describe pod NAME`, `gantry describe nodes`',
      )
    const { found, failures } = await whatToDescribe(session, args, flags)
    const several = found.length + failures.length > 1 || failures.length > 0
    const showEvents = flags.showEvents ?? !several
    const [missing] = failures
    if (args.length === 2 && isNotFound(missing)) return describeByPrefix(session, args, showEvents, missing)
    for (const [i, subject] of found.entries())
      session.io.out(`${i > 0 ? '\n\n' : ''}${await describeObject(session, subject, { showEvents })}`)
    for (const failure of failures) session.io.err(`${explain(failure).text}${await nameHint(session, failure)}`)
    if (found.length === 0 && failures.length === 0)
      session.io.err(
        flags.allNamespaces ? 'No resources found\n' : `No resources found in ${session.namespace} namespace.\n`,
      )
    return failures.length > 0 ? 1 : 0
  },
}

async function whatToDescribe(
  session: Session,
  args: readonly string[],
  flags: DescribeFlags,
): Promise<{ found: Subject[]; failures: unknown[] }> {
  const found: Subject[] = []
  const failures: unknown[] = []
  const names = await namesIn(session, args, flags)
  if ('kinds' in names) {
    for (const kind of names.kinds) {
      const selection: Selection = {
        namespace: namespaceFor(session, kind, flags.allNamespaces),
        labelSelector: flags.selector,
        ...(flags.chunkSize ? { chunkSize: Number(flags.chunkSize) } : {}),
      }
      found.push(...(await listObjects(session, kind, selection)).map((object) => ({ kind, object })))
    }
    return { found, failures }
  }
  for (const { kind, name, namespace } of names.objects) {
    try {
      found.push({ kind, object: await getObject(session, kind, name, namespace) })
    } catch (error) {
      if (!isNotFound(error)) throw error
      failures.push(error)
    }
  }
  return { found, failures }
}

async function namesIn(
  session: Session,
  args: readonly string[],
  flags: DescribeFlags,
): Promise<{ objects: Named[] } | { kinds: ServedKind[] }> {
  const kinds = await session.kinds()
  if (areGiven(flags)) {
    const manifests = await manifestsGiven(session.io, flags)
    return {
      objects: manifests.map(({ object }) => {
        const kind = kinds.of(object.apiVersion, object.kind)
        const namespace = kind.namespaced ? object.metadata.namespace || session.namespace : undefined
        return { kind, name: object.metadata.name ?? '', namespace }
      }),
    }
  }
  const targets = parseTargets(args, kinds)
  if (targets.type === 'all') return { kinds: targets.kinds }
  if (flags.allNamespaces) throw new CliError('a resource cannot be retrieved by name across all namespaces')
  if (flags.selector) throw new CliError('name cannot be provided when a selector is specified')
  return {
    objects: targets.objects.map(({ kind, name }) => ({ kind, name, namespace: namespaceFor(session, kind) })),
  }
}

/** `describe pod web` shows all pods that begin with web where none is called so. */
async function describeByPrefix(
  session: Session,
  [type = '', prefix = '']: readonly string[],
  showEvents: boolean,
  missing: unknown,
): Promise<number> {
  const kind = (await session.kinds()).named(type)
  const objects = await listObjects(session, kind, { namespace: namespaceFor(session, kind) })
  const matching = objects.filter(({ metadata }: NamedObject) => metadata.name.startsWith(prefix))
  if (matching.length === 0) throw missing
  for (const object of matching) session.io.out(`${await describeObject(session, { kind, object }, { showEvents })}\n`)
  return 0
}
