import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Command } from 'commander'
import { CliError } from './errors.ts'
import { collectList, parseDuration } from './flags.ts'
import { resourceName } from './kinds.ts'
import { historyPath, type NamedObject } from './objects.ts'
import type { RecordedLine, RecordingHeader } from './past/recording.ts'
import type { Session } from './session.ts'
import type { Verb } from './verb.ts'

interface RecordFlags {
  since?: string
  for?: string
  allNamespaces?: boolean
  kinds?: string[]
  secrets?: boolean
}

/** How often what was written meanwhile is fetched. */
const everyMs = 1000

export const record: Verb<RecordFlags> = {
  usage: 'FILE[.gz]',
  examples: ['gantry record hour.gz --since 1h -A', 'gantry record run.gz -A --for 5m    # or until Ctrl-C'],
  define: (command: Command) =>
    void command
      .option('--since <when>', 'what has been since then, and no more: a revision, a time ago (1h), or a time')
      .option('--for <duration>', 'what is written from now on, for so long; without, until Ctrl-C')
      .option('-A, --all-namespaces', 'of the whole cluster')
      .option('--kinds <kinds>', 'only these: pods,deployments', collectList)
      .option('--secrets', 'with the values of secrets'),
  async run(session, args, flags) {
    const [path, ...others] = args
    if (!path || others.length > 0) throw new CliError('say into which file: gantry record FILE.gz')
    const limitMs = flags.for ? parseDuration(flags.for) : Number.POSITIVE_INFINITY
    if (limitMs === undefined) throw new CliError(`invalid --for "${flags.for}": write 30s, 2m or 1h`)
    const out = new PassThrough()
    const file = createWriteStream(path, { mode: 0o600 })
    const written = path.endsWith('.gz') ? pipeline(out, createGzip(), file) : pipeline(out, file)
    // Whatever fails first is told; the other then only follows.
    written.catch(() => {})
    const count = await recordInto(session, out, flags, limitMs)
    out.end()
    await written
    session.io.out(`recorded ${count} changes in ${path}\n`)
    return 0
  },
}

async function recordInto(session: Session, out: Writable, flags: RecordFlags, limitMs: number): Promise<number> {
  const kinds = await session.kinds()
  const resources = (flags.kinds ?? []).map((word) => resourceName(kinds.named(word)))
  const header: RecordingHeader = { gantryRecording: 1, server: session.server, from: flags.since ?? 'now' }
  out.write(`${JSON.stringify(header)}\n`)
  const endsAt = session.clock.now() + limitMs
  let from = flags.since ?? '0s'
  let isFirst = true
  let count = 0
  for (;;) {
    const path = historyPath('changes', flags.allNamespaces ? undefined : session.namespace)
    const query = {
      from,
      ...(isFirst ? { initial: 'true' } : {}),
      ...(resources.length > 0 ? { resource: resources.join(',') } : {}),
    }
    for await (const line of linesOf(session, path, query)) {
      if (line.type === 'END') {
        from = line.revision
        if (flags.since) out.write(`${JSON.stringify(line)}\n`)
      } else {
        if (line.type !== 'INITIAL') count++
        const text = JSON.stringify(
          flags.secrets ? line : { ...line, object: withoutValues(line.resource, line.object) },
        )
        if (!out.write(`${text}\n`)) await once(out, 'drain')
      }
    }
    isFirst = false
    if (flags.since) return count
    if (session.io.signal.aborted || session.clock.now() >= endsAt) break
    // Ctrl-C is how this is meant to end.
    await session.clock.sleep(Math.min(everyMs, endsAt - session.clock.now()), session.io.signal).catch(() => {})
    if (session.io.signal.aborted) break
  }
  const end: RecordedLine = { type: 'END', revision: from }
  out.write(`${JSON.stringify(end)}\n`)
  return count
}

async function* linesOf(session: Session, path: string, query: Record<string, string>): AsyncGenerator<RecordedLine> {
  const answer = await session.raw('GET', path, { query, stream: true })
  let ended = false
  for await (const line of createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY })) {
    const recorded = JSON.parse(line) as RecordedLine
    ended = recorded.type === 'END'
    yield recorded
  }
  if (!ended) throw new CliError('the server cut the history off; what is in the file so far is whole')
}

/** A secret with its keys, and nothing behind them. */
function withoutValues(resource: string, object: NamedObject): NamedObject {
  if (resource !== 'secrets' || !object.data) return object
  const { annotations = {}, ...metadata } = object.metadata
  const kept = Object.entries(annotations).filter(([key]) => key !== 'kubectl.kubernetes.io/last-applied-configuration')
  const hidden = Buffer.from('hidden').toString('base64')
  return {
    ...object,
    metadata: { ...metadata, annotations: Object.fromEntries(kept) },
    data: Object.fromEntries(Object.keys(object.data).map((key) => [key, hidden])),
  }
}
