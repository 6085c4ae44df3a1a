import { existsSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import { pathOf } from '../client/client.ts'
import { pods } from '../client/resources.ts'
import { packLocal } from './cp/pack.ts'
import { type Place, parseSpec } from './cp/spec.ts'
import { unpackTo } from './cp/unpack.ts'
import { CliError } from './errors.ts'
import { runRemote } from './exec/remote.ts'
import { podToEnter } from './exec.ts'
import { containerOf } from './pods-of.ts'
import { Session } from './session.ts'
import type { Verb } from './verb.ts'

interface CpFlags {
  container?: string
  preserve: boolean
}

type Remote = Extract<Place, { type: 'remote' }>

export const cp: Verb<CpFlags> = {
  usage: '([NAMESPACE/]POD:PATH LOCAL_PATH | LOCAL_PATH [NAMESPACE/]POD:PATH)',
  examples: ['gantry cp settings.yaml web-1:/tmp/settings.yaml', 'gantry cp shop/web-1:/var/log ./log -c app'],
  define: (command: Command) =>
    void command
      .option('-c, --container <name>', 'of this container')
      .option('--no-preserve', 'do not keep owners and permissions')
      .option('--retries <n>', 'has no effect: a copy that breaks off says so'),
  async run(session, args, flags) {
    const [from, to, more] = args
    if (!from || !to || more) throw new CliError('source and destination are required: `gantry cp FILE POD:PATH`')
    const [source, destination] = [parseSpec(from), parseSpec(to)]
    if (source.type === 'remote' && destination.type === 'remote')
      throw new CliError('one of src or dest must be a local file specification')
    if (source.type === 'local' && destination.type === 'remote')
      await copyThere(session, source.path, destination, flags)
    else if (source.type === 'remote' && destination.type === 'local')
      await copyHere(session, source, destination.path, flags)
    else throw new CliError('one of src or dest must be a remote file specification: POD:PATH')
    return 0
  },
}

async function copyThere(session: Session, path: string, to: Remote, flags: CpFlags): Promise<void> {
  if (!existsSync(path)) throw new CliError(`${path} doesn't exist in local filesystem`)
  const isDirectory = /\/$/.test(to.path) || (await run(session, to, flags, ['test', '-d', to.path])).code === 0
  const target = isDirectory ? `${to.path.replace(/\/+$/, '')}/${basename(path)}` : to.path
  const extract = [
    'tar',
    flags.preserve ? '-xmf' : '--no-same-permissions',
    ...(flags.preserve ? [] : ['--no-same-owner', '-xmf']),
  ]
  const command = [...extract, '-', '-C', dirname(target)]
  check(await run(session, to, flags, command, { stdin: packLocal(path, basename(target)) }), to)
}

async function copyHere(session: Session, from: Remote, path: string, flags: CpFlags): Promise<void> {
  const isDirectory = existsSync(path) && statSync(path).isDirectory()
  const target = isDirectory ? `${path.replace(/\/+$/, '')}/${basename(from.path)}` : path
  const { sink, done } = unpackTo(target, basename(from.path), (text) => session.io.err(text))
  const command = ['tar', 'cf', '-', '-C', dirname(from.path), basename(from.path)]
  const ending = run(session, from, flags, command, { stdout: sink })
  const ended = await ending.finally(() => sink.end())
  check(ended, from)
  await done
}

interface Ended {
  code: number
  said: string
}

/** Throws why it did not work, in words that lead on. */
function check({ code, said }: Ended, { pod }: Remote): void {
  if (code === 0) return
  if (/executable file not found|no such file or directory: .*tar|exec.*tar|ENOENT/.test(said) || code === 127)
    throw new CliError(
      `the image of ${pod} has no tar, which copying needs: copy with \`gantry exec -i ${pod} -- sh -c 'cat > FILE' < FILE\`, or mount a volume`,
    )
  throw new CliError(`${said.trim() || 'tar failed'} (exit code ${code})`, code)
}

/** Runs a command in the container with streams of ours. */
async function run(
  session: Session,
  place: Remote,
  flags: CpFlags,
  command: readonly string[],
  { stdin, stdout }: { stdin?: PassThrough; stdout?: PassThrough } = {},
): Promise<Ended> {
  let said = ''
  const write = (to: 'out' | 'err', bytes: Uint8Array) => {
    if (to === 'err') said += Buffer.from(bytes).toString()
    else if (stdout && !stdout.write(bytes))
      return new Promise<void>((resolve) => stdout.once('drain', () => resolve()))
    return undefined
  }
  const own = { ...session.flags, ...(place.namespace ? { namespace: place.namespace } : {}) }
  const inner = new Session({ ...session.io, write, ...(stdin ? { stdin } : {}) }, own, session.clock)
  try {
    const pod = await podToEnter(inner, [place.pod])
    const container = containerOf(inner, pod, flags.container)
    const query = new URLSearchParams(command.map((word): [string, string] => ['command', word]))
    query.set('container', container.name)
    if (stdin) query.set('stdin', 'true')
    query.set('stdout', 'true')
    query.set('stderr', 'true')
    const path = pathOf(pods, pod.metadata.namespace, pod.metadata.name, 'exec')
    const code = await runRemote(inner, { path, query, stdin: Boolean(stdin), terminal: undefined })
    return { code, said }
  } catch (error) {
    // A command that is not there is told by the error channel.
    if (error instanceof CliError && /exec|executable|no such file/i.test(error.message))
      return { code: 127, said: error.message }
    throw error
  } finally {
    inner.close()
  }
}
