import type { Command } from 'commander'
import type { CoreV1Event } from '../api/generated/types.ts'
import type { Live } from '../client/types.ts'
import { lastSeenText } from './describe/events.ts'
import { CliError } from './errors.ts'
import { eventMs } from './event-time.ts'
import { collectList } from './flags.ts'
import type { ServedKind } from './kinds.ts'
import { listTable, type NamedObject } from './objects.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { parseOutput, printObject } from './print/printer.ts'
import { alignRows } from './print/table.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'
import type { Verb } from './verb.ts'
import { watchKind } from './watch.ts'

type Event = Live<CoreV1Event>

interface EventsFlags extends OutputFlags {
  allNamespaces?: boolean
  for?: string
  types?: string[]
  watch?: boolean
  headers: boolean
  chunkSize?: string
}

export const events: Verb<EventsFlags> = {
  usage: '[--for TYPE/NAME] [--types=Normal,Warning] [--watch]',
  examples: ['gantry events', 'gantry events -A --types=Warning -w', 'gantry events --for deployment/web'],
  define: (command: Command) =>
    void addOutputFlags(command, 'yaml, kyaml, json, name, jsonpath=…, go-template=…')
      .option('-A, --all-namespaces', 'those of every namespace')
      .option('--for <TYPE/NAME>', 'only those about this object')
      .option('--types <types>', 'only these: Normal, Warning', collectList)
      .option('-w, --watch', 'go on with what happens from now on')
      .option('--no-headers', 'no line with the names of the columns')
      .option('--chunk-size <n>', 'objects to ask for at once; 0 for all'),
  async run(session, args, flags) {
    if (args.length > 0) throw new CliError(`unexpected arguments: [${args.join(' ')}]; give an object with --for`)
    const types = (flags.types ?? []).map((type) => type.toLowerCase())
    if (types.some((type) => type !== 'normal' && type !== 'warning'))
      throw new CliError('valid --types are Normal or Warning')
    const output = await parseOutput(flags)
    const { kind, selection } = await whichEvents(session, flags)
    // As a table, because that comes with the version that a watch begins at.
    const table = await listTable(session, kind, selection, 'Object')
    const isAsked = ({ type = '' }: Event) => types.length === 0 || types.includes(type.toLowerCase())
    const found = (table.rows ?? []).map(({ object }) => object as unknown as Event).filter(isAsked)
    found.sort((a, b) => eventMs(a) - eventMs(b))
    const widths: number[] = []
    const show = (some: readonly Event[], headers: boolean) => {
      if (output.type !== 'table')
        for (const event of some) session.io.out(printObject(output, event as unknown as NamedObject))
      else {
        const rows = some.map((event) => row(event, session.clock.now(), Boolean(flags.allNamespaces)))
        const header = ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE']
        const names = flags.allNamespaces ? ['NAMESPACE', ...header] : header
        session.io.out(alignRows(headers ? [names, ...rows] : rows, flags.watch ? widths : undefined))
      }
    }
    if (output.type === 'whole' && !flags.watch)
      session.io.out(output.print({ apiVersion: 'v1', kind: 'List', items: found, metadata: { resourceVersion: '' } }))
    else if (found.length > 0) show(found, flags.headers)
    else if (!flags.watch)
      session.io.err(
        flags.allNamespaces ? 'No events found.\n' : `No events found in ${session.namespace} namespace.\n`,
      )
    if (!flags.watch) return 0
    let headers = flags.headers && found.length === 0
    await watchKind<Event>(session, kind, selection, {
      resourceVersion: table.metadata?.resourceVersion ?? '',
      onEvent: (type, event) => {
        if (type === 'DELETED' || !isAsked(event)) return false
        show([event], headers)
        headers = false
        return false
      },
    })
    return 0
  },
}

async function whichEvents(session: Session, flags: EventsFlags) {
  const kinds = await session.kinds()
  const kind: ServedKind = kinds.of('v1', 'Event')
  const namespace = flags.allNamespaces ? undefined : session.namespace
  const selection = { namespace, ...(flags.chunkSize ? { chunkSize: Number(flags.chunkSize) } : {}) }
  if (!flags.for) return { kind, selection }
  const targets = flags.for.includes('/') ? parseTargets([flags.for], kinds) : undefined
  if (targets?.type !== 'named') throw new CliError(`--for must be in resource/name form: --for pod/${flags.for}`)
  const [{ kind: about, name } = { kind, name: '' }] = targets.objects
  const fieldSelector = `involvedObject.kind=${about.kind},involvedObject.name=${name}`
  return { kind, selection: { ...selection, fieldSelector } }
}

function row(event: Event, nowMs: number, namespace: boolean): string[] {
  const { type = '', reason = '', involvedObject, message = '', metadata } = event
  return [
    ...(namespace ? [metadata.namespace ?? ''] : []),
    lastSeenText(event, nowMs),
    type,
    reason,
    `${involvedObject?.kind}/${involvedObject?.name}`,
    message.trim(),
  ]
}
