import type { Command } from 'commander'
import { CliError } from './errors.ts'
import { addFileFlags, collect, parseDuration } from './flags.ts'
import { kindName } from './kinds.ts'
import { getObject, type NamedObject } from './objects.ts'
import { placesGiven } from './places.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { type Output, parseOutput, printObject } from './print/printer.ts'
import type { Session } from './session.ts'
import { type SubjectFlags, subjectsGiven } from './subjects.ts'
import { inTime, objectAt, type Place, untilSo } from './until.ts'
import type { Verb } from './verb.ts'
import { type Awaited, isSo, parseAwaited } from './wait/awaited.ts'

interface WaitFlags extends SubjectFlags, OutputFlags {
  for?: string[]
  timeout: string
}

const unnamed = 'name what to wait for: `gantry wait pod/NAME --for=condition=Ready`'
const weekMs = 7 * 24 * 3_600_000

export const wait: Verb<WaitFlags> = {
  usage: '(-f FILE | TYPE NAME... | TYPE/NAME... | TYPE -l LABELS | TYPE --all) --for=CONDITION',
  examples: [
    'gantry wait deployment/web --for=condition=Available --timeout=60s',
    "gantry wait pod/web-1 --for=jsonpath='{.status.phase}'=Running",
    'gantry wait pod/web-1 --for=delete',
  ],
  define: (command: Command) =>
    void addOutputFlags(addFileFlags(command))
      .option('--for <condition>', "create, delete, condition=NAME[=VALUE] or jsonpath='{PATH}'[=VALUE]", collect)
      .option('--timeout <duration>', 'how long; 0 to look once, negative for a week', '30s')
      .option('-l, --selector <labels>', 'the objects with these labels')
      .option('--field-selector <fields>', 'the objects with these fields')
      .option('--all', 'all objects of the kind, in the namespace')
      .option('-A, --all-namespaces', 'in every namespace')
      .option('--local', 'with -f: look once at what the files say; no server is asked'),
  async run(session, args, flags) {
    const awaited = parseAwaited(flags.for ?? [])
    const limitMs = flags.timeout.startsWith('-') ? weekMs : parseDuration(flags.timeout)
    if (limitMs === undefined) throw new CliError(`invalid --timeout "${flags.timeout}": write 30s, 2m or 1h`)
    const output = await parseOutput(flags)
    if (flags.local) return lookAtFiles(session, args, awaited, flags, output)
    const deadline = session.clock.now() + limitMs
    const places = await placesGiven(session, args, flags, unnamed)
    if (places.length === 0 && !awaited.some(({ type }) => type === 'delete'))
      throw new CliError('no matching resources found')
    const late: string[] = []
    for (const place of places) {
      for (const one of awaited) {
        const met = await waitFor(session, place, one, limitMs === 0 ? 0 : deadline)
        // What is not there and was not has nothing to be shown.
        if (met.so && awaited.every(({ type }) => type === 'delete') && !met.object) break
        if (met.so) session.io.out(metText(output, place, met.object))
        else {
          late.push(limitMs === 0 ? notMet(place) : timedOut(place, met.object))
          break
        }
      }
    }
    if (late.length > 0)
      session.io.err(late.length === 1 && limitMs > 0 ? `error: ${late[0]}\n` : `${late.join('\n')}\n`)
    return late.length > 0 ? 1 : 0
  },
}

/** Nothing changes in a file: what is not so in it never will be. */
async function lookAtFiles(
  session: Session,
  args: readonly string[],
  awaited: readonly Awaited[],
  flags: WaitFlags,
  output: Output,
): Promise<number> {
  let failed = false
  for (const { kind, object } of await subjectsGiven(session, args, flags)) {
    const place = { kind, name: object.metadata.name, namespace: object.metadata.namespace }
    if (awaited.every((one) => isSo(one, object, object.metadata.uid))) session.io.out(metText(output, place, object))
    else {
      session.io.err(`error: ${notMet(place)}\n`)
      failed = true
    }
  }
  return failed ? 1 : 0
}

const metText = (output: Output, { kind, name }: Place, object: NamedObject | undefined): string =>
  output.type === 'table' || !object ? `${kindName(kind)}/${name} condition met\n` : printObject(output, object)

const notMet = ({ kind, name }: Place) => `condition not met for ${kind.plural}/${name}`

const timedOut = ({ kind, name }: Place, object: NamedObject | undefined) =>
  `timed out waiting for the condition${object ? ` on ${kind.plural}/${name}` : ''}`

/** A `deadline` of 0: looks only once. */
async function waitFor(
  session: Session,
  place: Place,
  awaited: Awaited,
  deadline: number,
): Promise<{ so: boolean; object: NamedObject | undefined }> {
  const mayBeMissing = awaited.type === 'create' || awaited.type === 'delete'
  let object = mayBeMissing
    ? await objectAt(session, place)
    : await getObject(session, place.kind, place.name, place.namespace)
  let so = isSo(awaited, object, object?.metadata.uid)
  if (so || deadline === 0) return { so, object }
  const follows = untilSo(session, place, (current) => {
    if (!current && !mayBeMissing) throw gone(place)
    so = isSo(awaited, current, object?.metadata.uid)
    // What is gone is told as it was.
    object = current ?? object
    return so
  })
  await inTime(session, follows, deadline - session.clock.now())
  return { so, object }
}

const gone = ({ kind, name }: Place) =>
  new CliError(`${kind.plural}/${name} is gone: what is not there comes to no condition`)
