import type { Command } from 'commander'
import pc from 'picocolors'
import type { Pod } from '../api/generated/types.ts'
import { pathOf } from '../client/client.ts'
import { pods } from '../client/resources.ts'
import type { Live } from '../client/types.ts'
import { CliError } from './errors.ts'
import { parseDuration } from './flags.ts'
import { containerOf, podsNamed, podsSelected } from './pods-of.ts'
import type { Session } from './session.ts'
import type { Verb } from './verb.ts'

interface LogsFlags {
  follow?: boolean
  tail?: string
  since?: string
  sinceTime?: string
  previous?: boolean
  timestamps?: boolean
  container?: string
  allContainers?: boolean
  selector?: string
  prefix?: boolean
  allPods?: boolean
  limitBytes?: string
  maxLogRequests?: string
  deleted?: boolean
  ignoreErrors?: boolean
  insecureSkipTlsVerifyBackend?: boolean
  podRunningTimeout: string
}

export const logs: Verb<LogsFlags> = {
  usage: '(POD | TYPE/NAME | -l LABELS) [CONTAINER]',
  examples: [
    'gantry logs web-1 -f',
    'gantry logs deployment/web --tail=20',
    'gantry logs -l app=web --prefix --since=5m',
    'gantry logs deployment/web --all-pods -f',
    'gantry logs deployment/web --deleted',
  ],
  define: (command: Command) =>
    void command
      .option('-f, --follow', 'go on with what is printed from now on')
      .option('--tail <lines>', 'only the last lines; -1 for all')
      .option('--since <duration>', 'only what is newer than 5s, 2m or 3h')
      .option('--since-time <time>', 'only what is newer than a time, in RFC 3339')
      .option('-p, --previous', 'of the container before the last restart')
      .option('--timestamps', 'the time before each line')
      .option('-c, --container <name>', 'of this container')
      .option('--all-containers', 'of every container of the pod')
      .option('-l, --selector <labels>', 'of the pods with these labels')
      .option('--prefix', 'the pod and container before each line')
      .option('--all-pods', 'of all pods of the workload, with --prefix')
      .option('--limit-bytes <n>', 'no more than so many bytes')
      .option('--max-log-requests <n>', 'with -l and -f: follow so many at most')
      .option('--ignore-errors', 'a log that cannot be read ends none of the others')
      .option('--insecure-skip-tls-verify-backend', 'let the server believe any certificate of the node')
      .option('--pod-running-timeout <duration>', 'how long to wait for the first pod of a workload', '20s')
      .option('--deleted', 'of pods that are gone, where gantry.dev/keep-logs had them kept'),
  async run(session, args, flags) {
    if (args.length === 0 && !flags.selector)
      throw new CliError('name a pod, or a workload as deployment/NAME, or give -l LABELS')
    if (args.length > 0 && flags.selector) throw new CliError('only a selector (-l) or a POD name is allowed')
    const wantedContainer = flags.container ?? args[1]
    const query = queryOf(flags)
    if (flags.deleted) {
      if (flags.selector || flags.follow)
        throw new CliError('--deleted goes with a POD or TYPE/NAME, without -l and -f')
      const { showKeptLogs } = await import('./logs/kept.ts')
      return showKeptLogs(session, args[0] as string, {
        ...(wantedContainer ? { container: wantedContainer } : {}),
        query,
      })
    }
    const waitMs = parseDuration(flags.podRunningTimeout)
    if (!waitMs) throw new CliError('--pod-running-timeout must be higher than zero: write 30s, 2m or 1h')
    const found = flags.selector
      ? await podsSelected(session, flags.selector)
      : await (flags.allPods ? podsNamed : onePodNamed)(session, args.slice(0, 1), waitMs)
    if (found.length === 0) {
      session.io.err(`No resources found in ${session.namespace} namespace.\n`)
      const { elsewhereHint } = await import('./mistakes/in-names.ts')
      const kind = (await session.kinds()).named('pods')
      session.io.err(await elsewhereHint(session, kind, { labelSelector: flags.selector }))
    }
    const streams = found.flatMap((pod) => streamsOf(session, pod, flags, wantedContainer))
    const limit = Number(flags.maxLogRequests ?? 5)
    if (flags.follow && streams.length > limit)
      throw new CliError(
        `you are attempting to follow ${streams.length} log streams, but maximum allowed concurrency is ${limit}, use --max-log-requests to increase the limit`,
      )
    const paint = painterOf(session, streams.length)
    const prefixed = flags.prefix || flags.allPods
    const show = async (stream: Stream, i: number) => {
      const prefix = prefixed ? paint(`[pod/${stream.pod.metadata.name}/${stream.container}]`, i) : ''
      const showOnce = () => showLog(session, stream, query, prefix)
      if (!flags.follow) return showOnce()
      const { whenStarted } = await import('./logs/when-started.ts')
      return whenStarted(session, stream, waitMs, showOnce)
    }
    const lenient = (stream: Stream, i: number) =>
      show(stream, i).catch((error: unknown) => {
        if (!flags.ignoreErrors || session.signal.aborted) throw error
        session.io.err(`error: pod/${stream.pod.metadata.name} ${stream.container}: ${(error as Error).message}\n`)
      })
    if (flags.follow) await Promise.all(streams.map(lenient))
    else for (const [i, stream] of streams.entries()) await lenient(stream, i)
    return 0
  },
}

/** Each stream of several in a colour of its own, for eyes. */
function painterOf({ io }: Session, streams: number): (text: string, i: number) => string {
  if (!io.isTerminal.stdout || io.env.NO_COLOR || streams < 2) return (text) => text
  const { cyan, yellow, green, magenta, blue, red } = pc.createColors(true)
  const colours = [cyan, yellow, green, magenta, blue, red]
  return (text, i) => (colours[i % colours.length] ?? cyan)(text)
}

/** One of those a workload has; says which. */
async function onePodNamed(session: Session, words: readonly string[], waitMs: number): Promise<Live<Pod>[]> {
  const [first, ...others] = await podsNamed(session, words, waitMs)
  if (!first) return []
  if (others.length > 0) session.io.err(`Found ${others.length + 1} pods, using pod/${first.metadata.name}\n`)
  return [first]
}

interface Stream {
  pod: Live<Pod>
  container: string
}

function streamsOf(session: Session, pod: Live<Pod>, flags: LogsFlags, wanted: string | undefined): Stream[] {
  if (!flags.allContainers) return [{ pod, container: containerOf(session, pod, wanted).name }]
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  return all.map(({ name }) => ({ pod, container: name }))
}

function queryOf(flags: LogsFlags): Record<string, string> {
  const sinceMs = flags.since ? parseDuration(flags.since) : undefined
  if (flags.since && sinceMs === undefined) throw new CliError(`invalid --since "${flags.since}": write 30s, 5m or 1h`)
  if (flags.since && flags.sinceTime) throw new CliError('only one of --since-time or --since may be used')
  const tail = flags.tail ?? (flags.selector ? '10' : undefined)
  if (tail !== undefined && !/^-?\d+$/.test(tail)) throw new CliError(`--tail must be a number of lines, not "${tail}"`)
  return {
    ...(flags.follow ? { follow: 'true' } : {}),
    ...(flags.previous ? { previous: 'true' } : {}),
    ...(flags.timestamps ? { timestamps: 'true' } : {}),
    ...(tail !== undefined && Number(tail) >= 0 ? { tailLines: tail } : {}),
    ...(sinceMs === undefined ? {} : { sinceSeconds: String(Math.max(1, Math.ceil(sinceMs / 1000))) }),
    ...(flags.sinceTime ? { sinceTime: flags.sinceTime } : {}),
    ...(flags.limitBytes ? { limitBytes: flags.limitBytes } : {}),
    ...(flags.insecureSkipTlsVerifyBackend ? { insecureSkipTLSVerifyBackend: 'true' } : {}),
  }
}

async function showLog(session: Session, { pod, container }: Stream, query: Record<string, string>, prefix: string) {
  const { namespace, name } = pod.metadata
  const answer = await session.raw('GET', pathOf(pods, namespace, name, 'log'), {
    query: { container, ...query },
    stream: true,
    headers: { accept: '*/*' },
  })
  if (!prefix) {
    for await (const chunk of answer) await session.io.write('out', chunk as Buffer)
    return
  }
  const { createInterface } = await import('node:readline')
  for await (const line of createInterface({ input: answer })) session.io.out(`${prefix} ${line}\n`)
}
