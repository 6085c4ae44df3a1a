import type { Command } from 'commander'
import { humanDuration } from '../api/machinery/print.ts'
import { isNotFound } from '../client/errors.ts'
import { CliError, explain } from './errors.ts'
import { addFileFlags, areGiven, collectList, type FileFlags, optionalValue } from './flags.ts'
import { kindName, type ServedKind } from './kinds.ts'
import {
  getObject,
  listObjects,
  listTable,
  type NamedObject,
  namespaceFor,
  readingOf,
  type Selection,
  tableType,
} from './objects.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { type Output, parseOutput } from './print/printer.ts'
import { alignRows, type Table, type TableRow, type TableStyle, tableCells } from './print/table.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'
import type { Verb } from './verb.ts'
import { watchKind } from './watch.ts'
import { wellKnown } from './well-known.ts'

export interface GetFlags extends OutputFlags, FileFlags {
  allNamespaces?: boolean
  selector?: string
  fieldSelector?: string
  watch?: boolean
  watchOnly?: boolean
  outputWatchEvents?: boolean
  showLabels?: boolean
  labelColumns?: string[]
  showKind?: boolean
  headers: boolean
  ignoreNotFound?: boolean
  sortBy?: string
  chunkSize?: string
  raw?: string
  at?: string
  subresource?: string
  serverPrint?: string
}

/** Some objects of one kind by name, or all that a selection takes. */
interface Wanted {
  kind: ServedKind
  names: string[] | undefined
  namespace: string | undefined
}

export const get: Verb<GetFlags> = {
  usage: 'TYPE[,TYPE...] [NAME...] | TYPE/NAME...',
  examples: [
    'gantry get pods -A -o wide',
    'gantry get deploy web -o yaml',
    'gantry get pods -l app=web -w',
    'gantry get pods -A --at 10m',
    "gantry get pods -o jsonpath='{.items[*].metadata.name}'",
  ],
  define(command: Command) {
    addOutputFlags(addFileFlags(command), 'wide, yaml, kyaml, json, name, jsonpath=…, go-template=…, custom-columns=…')
      .option('-A, --all-namespaces', 'objects of every namespace')
      .option('-l, --selector <labels>', 'only objects with these labels: app=web,tier!=db')
      .option('--field-selector <fields>', 'only objects with these fields: status.phase=Running')
      .option('-w, --watch', 'go on showing what changes')
      .option('--watch-only', 'show only what changes')
      .option('--output-watch-events', 'say of each change which kind it is')
      .option('--show-labels', 'a last column with all labels')
      .option('-L, --label-columns <labels>', 'labels with a column of their own', collectList)
      .option('--show-kind', 'the kind before each name')
      .option('--no-headers', 'no line with the names of the columns')
      .option('--ignore-not-found', 'an object that is not there is no failure')
      .option('--sort-by <path>', 'by a field: .metadata.creationTimestamp')
      .option('--chunk-size <n>', 'objects to ask for at once; 0 for all')
      .option('--at <when>', 'as they were: a revision, a time ago (10m), or a time (2026-01-02T03:04:05Z)')
      .option('--subresource <name>', 'this part of each: status, scale')
      .addOption(
        optionalValue('--server-print', 'with =false: only names and ages, whatever columns the server has', 'true'),
      )
      .option('--raw <path>', 'the answer of the server to a path, as it is')
  },
  async run(session, args, flags) {
    if (flags.raw) return (await import('./raw.ts')).sendRaw(session, 'GET', flags.raw)
    if (args.length === 0 && !areGiven(flags))
      throw new CliError(
        'You must specify the type of resource to get. `gantry api-resources` of kubectl lists them; pods, deployments and services are the first to try',
      )
    const output = await parseOutput(flags, { headers: flags.headers })
    const wanted = await wantedObjects(session, args, flags)
    if (flags.subresource && wanted.some(({ names }) => !names))
      throw new CliError('subresource cannot be used when bulk resources are specified')
    if (flags.at && (flags.watch || flags.watchOnly))
      throw new CliError('--at shows what was: there is nothing to watch')
    if (flags.watch || flags.watchOnly) return watch(session, wanted, flags, output)
    return output.type === 'table'
      ? showTables(session, wanted, flags, output.wide)
      : showObjects(session, wanted, flags, output)
  },
}

async function wantedObjects(session: Session, args: readonly string[], flags: GetFlags): Promise<Wanted[]> {
  const kinds = (areGiven(flags) ? undefined : wellKnown(args)) ?? (await session.kinds())
  if (areGiven(flags)) {
    const manifests = await (await import('./manifests-given.ts')).manifestsGiven(session.io, flags)
    return manifests.reduce<Wanted[]>((wanted, { object }) => {
      const kind = kinds.of(object.apiVersion, object.kind)
      const namespace = kind.namespaced ? object.metadata.namespace || session.namespace : undefined
      const name = object.metadata.name ?? ''
      // Those of one kind that follow each other are one table.
      const last = wanted.at(-1)
      if (last?.kind === kind && last.namespace === namespace) last.names?.push(name)
      else wanted.push({ kind, names: [name], namespace })
      return wanted
    }, [])
  }
  const targets = parseTargets(args, kinds)
  if (targets.type === 'all')
    return targets.kinds.map((kind) => ({
      kind,
      names: undefined,
      namespace: namespaceFor(session, kind, flags.allNamespaces),
    }))
  if (flags.allNamespaces) throw new CliError('a resource cannot be retrieved by name across all namespaces')
  if (flags.selector) throw new CliError('name cannot be provided when a selector is specified')
  const byKind = new Map<ServedKind, string[]>()
  for (const { kind, name } of targets.objects) byKind.set(kind, [...(byKind.get(kind) ?? []), name])
  return [...byKind].map(([kind, names]) => ({ kind, names, namespace: namespaceFor(session, kind) }))
}

const selectionOf = ({ namespace }: Wanted, flags: GetFlags): Selection => ({
  namespace,
  labelSelector: flags.selector,
  fieldSelector: flags.fieldSelector,
  at: flags.at,
  ...(flags.chunkSize ? { chunkSize: Number(flags.chunkSize) } : {}),
})

const styleOf = (flags: GetFlags, wide: boolean, { kind }: Wanted, several: boolean): TableStyle => ({
  wide,
  headers: flags.headers,
  namespace: Boolean(flags.allNamespaces) && kind.namespaced,
  showLabels: Boolean(flags.showLabels),
  labelColumns: flags.labelColumns ?? [],
  ...(several || flags.showKind ? { kindPrefix: kindName(kind) } : {}),
})

async function showTables(
  session: Session,
  wanted: readonly Wanted[],
  flags: GetFlags,
  wide: boolean,
): Promise<number> {
  const failures: unknown[] = []
  const several = new Set(wanted.map(({ kind }) => kind)).size > 1
  let shown = 0
  const tables = await Promise.all(
    wanted.map((one) => readTable(session, one, flags, failures).then((table) => ({ one, table }))),
  )
  for (const { one, table } of tables) {
    if (flags.sortBy) sortBy(table.rows ?? [], await fieldAt(flags.sortBy), ({ object }) => object)
    const rows = tableCells(table, styleOf(flags, wide, one, several))
    if (rows.length === 0) continue
    if (shown > 0 && several && flags.headers) session.io.out('\n')
    session.io.out(alignRows(rows))
    shown += rows.length
  }
  if (shown === 0 && failures.length === 0 && !flags.ignoreNotFound) {
    session.io.err(nothingFound(session, wanted, flags))
    const [only, ...others] = wanted
    if (only && others.length === 0 && !flags.allNamespaces && !flags.at)
      session.io.err(
        await (await import('./mistakes/in-names.ts')).elsewhereHint(session, only.kind, selectionOf(only, flags)),
      )
  }
  return tell(session, failures)
}

async function readTable(session: Session, wanted: Wanted, flags: GetFlags, failures: unknown[]): Promise<Table> {
  const includeObject = flags.sortBy ? 'Object' : 'Metadata'
  const whole: Table = { kind: 'Table', rows: [] }
  const take = (table: Table) => {
    whole.columnDefinitions ??= table.columnDefinitions ?? []
    whole.rows?.push(...(table.rows ?? []))
    whole.metadata = table.metadata ?? {}
  }
  if (flags.serverPrint === 'false') {
    for (const object of await readObjects(session, wanted, flags, failures)) take(bareTable(session, object))
    return whole
  }
  if (!wanted.names) {
    await attempt(flags, failures, async () =>
      take(await listTable(session, wanted.kind, selectionOf(wanted, flags), includeObject)),
    )
    return whole
  }
  for (const name of wanted.names) {
    const { path, query } = readingOf(wanted.kind, wanted.namespace, flags, name)
    await attempt(flags, failures, async () =>
      take(
        await session.json<Table>('GET', path, {
          headers: { accept: tableType },
          query: { ...query, includeObject },
        }),
      ),
    )
  }
  return whole
}

async function showObjects(
  session: Session,
  wanted: readonly Wanted[],
  flags: GetFlags,
  output: Exclude<Output, { type: 'table' }>,
) {
  const failures: unknown[] = []
  const objects: NamedObject[] = []
  for (const one of wanted) objects.push(...(await readObjects(session, one, flags, failures)))
  if (flags.sortBy) sortBy(objects, await fieldAt(flags.sortBy), (object) => object)
  const single = wanted.length === 1 && wanted[0]?.names?.length === 1
  if (single && objects.length === 0) return tell(session, failures)
  if (output.type === 'each') for (const object of objects) session.io.out(output.print(object))
  else if (output.type === 'columns') session.io.out(output.print(objects))
  else
    session.io.out(
      output.print(
        single ? objects[0] : { apiVersion: 'v1', kind: 'List', items: objects, metadata: { resourceVersion: '' } },
      ),
    )
  return tell(session, failures)
}

async function readObjects(
  session: Session,
  wanted: Wanted,
  flags: GetFlags,
  failures: unknown[],
): Promise<NamedObject[]> {
  const { kind, names, namespace } = wanted
  const objects: NamedObject[] = []
  if (!names)
    await attempt(
      flags,
      failures,
      async () => void objects.push(...(await listObjects(session, kind, selectionOf(wanted, flags)))),
    )
  for (const name of names ?? [])
    await attempt(
      flags,
      failures,
      async () => void objects.push(await getObject(session, kind, name, namespace, flags)),
    )
  return objects
}

/** What can be told of any object, without the columns that its server has for it. */
function bareTable(session: Session, object: NamedObject): Table {
  const { name, creationTimestamp } = object.metadata
  const age = creationTimestamp ? humanDuration(session.clock.now() - Date.parse(creationTimestamp)) : '<unknown>'
  const column = (title: string) => ({ name: title, type: 'string', priority: 0 })
  return {
    kind: 'Table',
    columnDefinitions: [column('Name'), column('Age')],
    rows: [{ cells: [name, age], object }],
  }
}

async function attempt(flags: GetFlags, failures: unknown[], action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    if (flags.ignoreNotFound && isNotFound(error)) return
    if (!isNotFound(error)) throw error
    failures.push(error)
  }
}

async function tell(session: Session, failures: readonly unknown[]): Promise<number> {
  for (const failure of failures) {
    session.io.err(explain(failure).text)
    session.io.err(await (await import('./mistakes/in-names.ts')).nameHint(session, failure))
  }
  return failures.length > 0 ? 1 : 0
}

function nothingFound(session: Session, wanted: readonly Wanted[], flags: GetFlags): string {
  const inNamespace = !flags.allNamespaces && wanted.some(({ kind }) => kind.namespaced)
  return inNamespace ? `No resources found in ${session.namespace} namespace.\n` : 'No resources found\n'
}

async function watch(session: Session, wanted: readonly Wanted[], flags: GetFlags, output: Output): Promise<number> {
  const [one, another] = wanted
  if (!one || another) throw new CliError('you may only specify a single resource type')
  if (one.names && one.names.length > 1)
    throw new CliError(
      'watch is only supported on individual resources and resource collections - more than 1 resource was found',
    )
  const [name] = one.names ?? []
  const selection = { ...selectionOf(one, flags), ...(name ? { fieldSelector: `metadata.name=${name}` } : {}) }
  const widths: number[] = []
  let headers = flags.headers
  let definitions: Table['columnDefinitions']
  const show = (type: string, table: Table) => {
    if (table.columnDefinitions?.length) definitions = table.columnDefinitions
    const whole: Table = { ...table, columnDefinitions: definitions ?? [] }
    if (output.type !== 'table') return showRows(session, whole.rows ?? [], flags, output, type)
    const style = { ...styleOf(flags, output.wide, one, false), headers }
    const first = flags.outputWatchEvents ? { first: { header: 'EVENT', cell: type.padEnd(8) } } : {}
    const rows = tableCells(whole, { ...style, ...first })
    if (rows.length === 0) return
    session.io.out(alignRows(rows, widths))
    headers = false
  }
  const includeObject = output.type === 'table' ? 'Metadata' : 'Object'
  const table = await listTable(session, one.kind, selection, includeObject)
  if (name && (table.rows ?? []).length === 0) await getObject(session, one.kind, name, one.namespace)
  if (!flags.watchOnly) show('ADDED', table)
  await watchKind<Table>(session, one.kind, selection, {
    resourceVersion: table.metadata?.resourceVersion ?? '',
    table: includeObject,
    onEvent: (type, changed) => {
      show(type, changed)
      return false
    },
  })
  return 0
}

function showRows(
  session: Session,
  rows: readonly TableRow[],
  flags: GetFlags,
  output: Exclude<Output, { type: 'table' }>,
  type: string,
) {
  for (const { object } of rows) {
    if (!object) continue
    const shown = flags.outputWatchEvents && output.type === 'whole' ? { type, object } : object
    if (output.type === 'columns') session.io.out(output.print([object]))
    else if (output.type === 'each') session.io.out(output.print(object))
    else session.io.out(output.print(shown))
  }
}

/** The first value that a path finds. */
async function fieldAt(path: string): Promise<(object: unknown) => unknown> {
  const { findPath } = await import('../api/machinery/json-path.ts')
  const find = findPath(path)
  return (object) => find(object)[0]
}

function sortBy<T>(list: T[], field: (object: unknown) => unknown, objectOf: (one: T) => unknown): void {
  list.sort((a, b) => compareValues(field(objectOf(a)), field(objectOf(b))))
}

/** What is missing comes first. */
function compareValues(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [one, other] = [String(a), String(b)]
  return one < other ? -1 : one > other ? 1 : 0
}
