import type { Command } from 'commander'
import type { Container, Pod } from '../api/generated/types.ts'
import { pathOf } from '../client/client.ts'
import { pods } from '../client/resources.ts'
import type { Live } from '../client/types.ts'
import { CliError } from './errors.ts'
import { runRemote } from './exec/remote.ts'
import { terminalFor } from './exec/terminal.ts'
import { podToEnter } from './exec.ts'
import { containerOf } from './pods-of.ts'
import type { Session } from './session.ts'
import type { Verb } from './verb.ts'

interface AttachFlags {
  container?: string
  stdin?: boolean
  tty?: boolean
  quiet?: boolean
  detachKeys?: string
  podRunningTimeout?: string
}

const recorded =
  'All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.'

export const attach: Verb<AttachFlags> = {
  usage: '(POD | TYPE/NAME) [-c CONTAINER]',
  examples: ['gantry attach web-1', 'gantry attach -it web-1 -c shell'],
  define: (command: Command) =>
    void command
      .option('-c, --container <name>', 'to this container')
      .option('-i, --stdin', 'pass standard input on')
      .option('-t, --tty', 'hand the terminal over')
      .option('-q, --quiet', 'show only what the container prints')
      .option('--detach-keys <keys>', 'keys that let go of the container: ctrl-p,ctrl-q')
      .option('--pod-running-timeout <duration>', 'how long to wait for the first pod of a workload'),
  async run(session, args, flags) {
    if (args.length === 0) throw new CliError('at least 1 argument is required for attach')
    if (args.length > 2)
      throw new CliError(
        `expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw ${args.length}: [${args.join(' ')}]`,
      )
    const pod = await podToEnter(session, args, flags.podRunningTimeout)
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
      throw new CliError(`cannot attach a container in a completed pod; current phase is ${pod.status.phase}`)
    return attachTo(session, pod, containerOf(session, pod, flags.container, flags.quiet), flags)
  },
}

/** Connects this terminal, or these pipes, with a container that runs; resolves to the exit code. */
export async function attachTo(
  session: Session,
  pod: Live<Pod>,
  container: Container,
  flags: Omit<AttachFlags, 'container' | 'podRunningTimeout'>,
  onOutput?: () => void,
): Promise<number> {
  const { name, namespace } = pod.metadata
  if (flags.tty && !container.tty && !flags.quiet)
    session.io.err(`error: Unable to use a TTY - container ${container.name} did not allocate one\n`)
  // A container with a terminal speaks in its way, asked for or not.
  const terminal = terminalFor(session.io, { ...flags, tty: Boolean(container.tty) })
  const query = new URLSearchParams({ container: container.name, stdout: 'true' })
  if (flags.stdin) query.set('stdin', 'true')
  query.set(terminal ? 'tty' : 'stderr', 'true')
  if (!flags.quiet) session.io.err(`${recorded}\nIf you don't see a command prompt, try pressing enter.\n`)
  const path = pathOf(pods, namespace, name, 'attach')
  const stdin = Boolean(flags.stdin)
  const code = await runRemote(session, {
    path,
    query,
    stdin,
    terminal,
    detachKeys: flags.detachKeys ?? 'ctrl-p,ctrl-q',
    ...(onOutput ? { onOutput } : {}),
  })
  if (code === 0 && terminal && !flags.quiet)
    session.io.out(
      `Session ended, resume using 'gantry attach ${name} -c ${container.name} -n ${namespace} -i -t' command\n`,
    )
  return code
}
