import type { Command } from 'commander'
import type { Pod } from '../api/generated/types.ts'
import { pathOf } from '../client/client.ts'
import { pods } from '../client/resources.ts'
import type { Live } from '../client/types.ts'
import { CliError } from './errors.ts'
import { runRemote } from './exec/remote.ts'
import { terminalFor } from './exec/terminal.ts'
import { collectList, parseDuration } from './flags.ts'
import { readManifests } from './manifests.ts'
import { containerOf, podsNamed } from './pods-of.ts'
import type { Session } from './session.ts'
import type { Verb } from './verb.ts'

interface ExecFlags {
  container?: string
  stdin?: boolean
  tty?: boolean
  quiet?: boolean
  filename?: string[]
  podRunningTimeout?: string
}

export const exec: Verb<ExecFlags> = {
  usage: '(POD | TYPE/NAME) [-c CONTAINER] -- COMMAND [args...]',
  examples: [
    'gantry exec web-1 -- date',
    'gantry exec -it deployment/web -- sh',
    'gantry exec -i web-1 -c app -- cat < file',
  ],
  define: (command: Command) =>
    void command
      .option('-c, --container <name>', 'in this container')
      .option('-i, --stdin', 'pass standard input on')
      .option('-t, --tty', 'hand the terminal over')
      .option('-q, --quiet', 'show only what the command prints')
      .option('-f, --filename <file>', 'a file with the pod or workload', collectList)
      .option('--pod-running-timeout <duration>', 'how long to wait for the first pod of a workload'),
  async run(session, args, flags, rest) {
    if (rest === undefined && args.length > 1)
      throw new CliError(
        `exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'gantry exec -h' for help and examples`,
      )
    const words = flags.filename ? await wordsOf(session, flags.filename) : args.slice(0, 1)
    if (words.length === 0) throw new CliError('pod, type/name or --filename must be specified')
    if (!rest?.length) throw new CliError('you must specify at least one command for the container')
    const pod = await podToEnter(session, words, flags.podRunningTimeout)
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
      throw new CliError(`cannot exec into a container in a completed pod; current phase is ${pod.status.phase}`)
    const container = containerOf(session, pod, flags.container, flags.quiet)
    const terminal = terminalFor(session.io, flags)
    const query = new URLSearchParams(rest.map((word): [string, string] => ['command', word]))
    query.set('container', container.name)
    if (flags.stdin) query.set('stdin', 'true')
    query.set('stdout', 'true')
    // A terminal has one screen for both.
    query.set(terminal ? 'tty' : 'stderr', 'true')
    const path = pathOf(pods, pod.metadata.namespace, pod.metadata.name, 'exec')
    const code = await runRemote(session, { path, query, stdin: Boolean(flags.stdin), terminal })
    if (code !== 0) session.io.err(`command terminated with exit code ${code}\n`)
    return code
  },
}

async function wordsOf(session: Session, files: readonly string[]): Promise<string[]> {
  const manifests = await readManifests(files, { io: session.io })
  if (manifests.length > 1) throw new CliError('cannot exec into multiple objects at a time')
  return manifests.map(({ object }) => `${object.kind}/${object.metadata.name}`)
}

const defaultTimeout = '1m'

/** The pod that the words name, or the readiest of those they stand for; a workload without any is waited for. */
export async function podToEnter(
  session: Session,
  words: readonly string[],
  timeout = defaultTimeout,
): Promise<Live<Pod>> {
  const waitMs = parseDuration(timeout)
  if (!waitMs) throw new CliError('--pod-running-timeout must be higher than zero: write 30s, 2m or 1h')
  const [pod] = await podsNamed(session, words, waitMs)
  if (!pod) throw new CliError('name a pod, or a workload as deployment/NAME')
  return pod
}
