import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CliError } from '../errors.ts'
import { collect, collectList } from '../flags.ts'
import { nearest } from '../nearest.ts'
import type { Session } from '../session.ts'
import type { Verb } from '../verb.ts'
import { type Exec, type ExecFlags, withExec } from './credentials.ts'
import { changeKubeconfig, filesInUse, mergedKubeconfig, type Section, withEntry } from './kubeconfig.ts'

type Texts = Record<string, string | boolean | readonly string[] | undefined>

const oneName = (args: readonly string[], verb: string): string => {
  const [name, more] = args
  if (!name || more) throw new CliError(`unexpected arguments: write gantry config ${verb} NAME`)
  return name
}

/** `--flag=value` as the field of the same name; bytes of a file are put in its place with --embed-certs. */
function fieldsOf(flags: Texts, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.flatMap((name): [string, unknown][] => {
      const value = flags[name.replace(/-./g, (part) => (part[1] as string).toUpperCase())]
      if (value === undefined) return []
      const isFile = name.startsWith('certificate-') || name.startsWith('client-')
      if (isFile && flags.embedCerts) return [[`${name}-data`, readFileSync(String(value)).toString('base64')]]
      return [[name, isFile ? resolve(String(value)) : value]]
    }),
  )
}

interface Setting {
  section: Section
  verb: string
  word: string
  summary: string
  define(command: Command): void
  fields: readonly string[]
  /** Of what a flag is not a field by itself: the fields after the change. */
  more?(before: Record<string, unknown>, flags: Texts): Record<string, unknown>
}

const setting = ({
  section,
  verb,
  word,
  summary,
  define,
  fields,
  more,
}: Setting): Verb<Texts> & { summary: string } => ({
  summary,
  usage: 'NAME',
  examples: [`gantry config ${verb} mine`],
  define,
  async run(session, args, flags) {
    const name = flags.current ? currentContext(session) : oneName(args, verb)
    let isNew = false
    changeKubeconfig(
      session,
      (config) => config[section]?.some((one) => one.name === name) ?? false,
      (config) => {
        const before = config[section]?.find((one) => one.name === name)?.[section.slice(0, -1)] ?? {}
        const changed = withEntry(config, section, name, {
          ...fieldsOf(flags, fields),
          ...more?.(before as Record<string, unknown>, flags),
        })
        isNew = changed.isNew
        return changed.config
      },
    )
    session.io.out(
      section === 'contexts' ? `Context "${name}" ${isNew ? 'created' : 'modified'}.\n` : `${word} "${name}" set.\n`,
    )
    return 0
  },
})

export function currentContext(session: Session): string {
  const name = mergedKubeconfig(filesInUse(session))['current-context']
  if (!name) throw new CliError('current-context is not set: `gantry config use-context NAME` sets it')
  return name
}

export const setCluster = setting({
  section: 'clusters',
  verb: 'set-cluster',
  word: 'Cluster',
  summary: 'where a cluster is',
  define: (command) =>
    void command
      .option('--server <url>', 'its API server')
      .option('--certificate-authority <file>', 'whose certificates are believed')
      .option('--insecure-skip-tls-verify', 'believe any certificate')
      .option('--tls-server-name <name>', 'the name that the certificate must have')
      .option('--proxy-url <url>', 'the proxy that leads to it')
      .option('--embed-certs', 'put the contents of files in'),
  fields: ['server', 'certificate-authority', 'insecure-skip-tls-verify', 'tls-server-name', 'proxy-url'],
})

export const setCredentials = setting({
  section: 'users',
  verb: 'set-credentials',
  word: 'User',
  summary: 'who a user is',
  define: (command) =>
    void command
      .option('--client-certificate <file>', 'the certificate')
      .option('--client-key <file>', 'its key')
      .option('--token <token>', 'a bearer token')
      .option('--username <name>', 'for basic authentication')
      .option('--password <password>', 'for basic authentication')
      .option('--embed-certs', 'put the contents of files in')
      .option('--exec-command <file>', 'the program that gets the credentials')
      .option('--exec-api-version <version>', 'in which version of the API it tells them')
      .option('--exec-arg <words>', 'its arguments, in place of others', collectList)
      .option('--exec-env <key=value>', 'a variable of its environment; KEY- takes one away', collect)
      .option('--exec-interactive-mode <mode>', 'whether it may ask: IfAvailable, Never or Always')
      .option('--exec-provide-cluster-info', 'tell it which cluster it is for'),
  fields: ['client-certificate', 'client-key', 'token', 'username', 'password'],
  more(before, flags) {
    const exec = withExec(before.exec as Exec | undefined, flags as ExecFlags)
    return exec ? { exec } : {}
  },
})

export const setContext = setting({
  section: 'contexts',
  verb: 'set-context',
  word: 'Context',
  summary: 'which user of which cluster, in which namespace',
  define: (command) =>
    void command
      .option('--current', 'the context in use')
      .option('--cluster <name>', 'the cluster')
      .option('--user <name>', 'the user'),
  fields: ['cluster', 'user', 'namespace'],
})

/** `delete-cluster NAME` and its like. */
export const deleting = (section: Section): Verb<object> & { summary: string } => {
  const word = section.slice(0, -1)
  return {
    summary: `forget a ${word}`,
    usage: 'NAME',
    examples: [`gantry config delete-${word} mine`],
    async run(session, args) {
      const name = oneName(args, `delete-${word}`)
      const merged = mergedKubeconfig(filesInUse(session))
      const names = (merged[section] ?? []).map((one) => one.name)
      const meant = nearest(name, names)
      if (!names.includes(name))
        throw new CliError(
          `cannot delete ${word} ${name}, not in ${filesInUse(session)[0]}${meant ? `. Did you mean "${meant}"?` : ''}`,
        )
      const file = changeKubeconfig(
        session,
        (config) => config[section]?.some((one) => one.name === name) ?? false,
        (config) => ({ ...config, [section]: (config[section] ?? []).filter((one) => one.name !== name) }),
      )
      if (section === 'contexts' && merged['current-context'] === name)
        session.io.err(
          'warning: this removed your active context, use "gantry config use-context" to select a different one\n',
        )
      session.io.out(`deleted ${word} ${name} from ${file}\n`)
      return 0
    },
  }
}
