import { currentContext, deleting, setCluster, setContext, setCredentials } from './config/entries.ts'
import {
  changeKubeconfig,
  filesInUse,
  mergedKubeconfig,
  minified,
  redacted,
  type Section,
} from './config/kubeconfig.ts'
import { setProperty, unsetProperty } from './config/property.ts'
import { CliError } from './errors.ts'
import { optionalValue } from './flags.ts'
import { nearest } from './nearest.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { parseOutput, printObject } from './print/printer.ts'
import { alignRows } from './print/table.ts'
import type { Session } from './session.ts'
import type { Verb } from './verb.ts'

type SubVerb<F> = Verb<F> & { summary: string }

const view: SubVerb<OutputFlags & { raw?: boolean; minify?: boolean; flatten?: boolean; merge?: string }> = {
  summary: 'show what is in use',
  usage: '',
  examples: ['gantry config view', 'gantry config view --minify --raw'],
  define: (command) =>
    void addOutputFlags(command, 'yaml, which is the default, kyaml, json, jsonpath=…, go-template=…')
      .option('--raw', 'with keys and tokens')
      .option('--flatten', 'the same as --raw')
      .option('--minify', 'only what the context in use needs')
      .addOption(optionalValue('--merge', 'all files as one; with =false the one of --kubeconfig alone', 'true')),
  async run(session, _args, flags) {
    const output = await parseOutput(flags.output || flags.template ? flags : { output: 'yaml' })
    const isAlone = flags.merge === 'false'
    if (isAlone && !session.flags.kubeconfig) throw new CliError('if merge==false a precise file must be specified')
    const files = filesInUse(session)
    const whole = mergedKubeconfig(isAlone ? files.slice(0, 1) : files)
    const name = session.flags.context || whole['current-context'] || ''
    const config = flags.minify ? minified(whole, name) : whole
    const shown = flags.raw || flags.flatten ? config : redacted(config)
    session.io.out(printObject(output, shown as Parameters<typeof printObject>[1]))
    return 0
  },
}

const current: SubVerb<object> = {
  summary: 'which context is in use',
  usage: '',
  examples: ['gantry config current-context'],
  async run(session) {
    session.io.out(`${currentContext(session)}\n`)
    return 0
  },
}

interface ListFlags {
  output?: string
  headers: boolean
}

const getContexts: SubVerb<ListFlags> = {
  summary: 'which contexts there are',
  usage: '[NAME...]',
  examples: ['gantry config get-contexts'],
  define: (command) =>
    void command.option('-o, --output <format>', 'name').option('--no-headers', 'no names of columns'),
  async run(session, names, flags) {
    const config = mergedKubeconfig(filesInUse(session))
    const contexts = (config.contexts ?? []).filter(({ name }) => names.length === 0 || names.includes(name))
    const missing = names.filter((name) => !contexts.some((one) => one.name === name))
    if (flags.output && flags.output !== 'name') throw new CliError("output must be one of '' or 'name'")
    if (flags.output === 'name') for (const { name } of contexts) session.io.out(`${name}\n`)
    else {
      const rows = contexts.map(({ name, context }) => {
        const { cluster = '', user = '', namespace = '' } = (context ?? {}) as Record<string, string>
        return [name === config['current-context'] ? '*' : '', name, cluster, user, namespace]
      })
      const header = ['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE']
      session.io.out(alignRows(flags.headers ? [header, ...rows] : rows))
    }
    for (const name of missing) session.io.err(`error: context ${name} not found\n`)
    return missing.length > 0 ? 1 : 0
  },
}

const listing = (section: Section): SubVerb<object> => ({
  summary: `which ${section} there are`,
  usage: '',
  examples: [`gantry config get-${section}`],
  async run(session) {
    const entries = mergedKubeconfig(filesInUse(session))[section] ?? []
    session.io.out(alignRows([['NAME'], ...entries.map(({ name }) => [name])]))
    return 0
  },
})

/** Throws, with the nearest there is, for a context that is not there. */
function checkContext(session: Session, name: string | undefined, what: string): string {
  if (!name) throw new CliError(`${what}: name a context; \`gantry config get-contexts\` lists them`)
  const names = (mergedKubeconfig(filesInUse(session)).contexts ?? []).map((one) => one.name)
  if (names.includes(name)) return name
  const meant = nearest(name, names)
  throw new CliError(`no context exists with the name: "${name}"${meant ? `. Did you mean "${meant}"?` : ''}`)
}

const use: SubVerb<object> = {
  summary: 'work with this one from now on',
  usage: 'NAME',
  examples: ['gantry config use-context staging'],
  async run(session, [name]) {
    const found = checkContext(session, name, 'use-context')
    changeKubeconfig(
      session,
      (config) => Boolean(config['current-context']),
      (config) => ({ ...config, 'current-context': found }),
    )
    session.io.out(`Switched to context "${found}".\n`)
    return 0
  },
}

const rename: SubVerb<object> = {
  summary: 'give a context another name',
  usage: 'OLD NEW',
  examples: ['gantry config rename-context admin@gantry here'],
  async run(session, [from, to]) {
    const old = checkContext(session, from, 'rename-context')
    if (!to) throw new CliError('give the new name: `gantry config rename-context OLD NEW`')
    const config = mergedKubeconfig(filesInUse(session))
    if (config.contexts?.some((one) => one.name === to))
      throw new CliError(`cannot rename the context "${old}", the context "${to}" already exists`)
    changeKubeconfig(
      session,
      (file) => file.contexts?.some((one) => one.name === old) ?? false,
      (file) => ({
        ...file,
        contexts: (file.contexts ?? []).map((one) => (one.name === old ? { ...one, name: to } : one)),
        ...(file['current-context'] === old ? { 'current-context': to } : {}),
      }),
    )
    session.io.out(`Context "${old}" renamed to "${to}".\n`)
    return 0
  },
}

export const config: Verb = {
  usage: 'COMMAND',
  examples: ['gantry config view', 'gantry config use-context staging'],
  run: async () => 1,
  verbs: {
    view,
    'current-context': current,
    'get-contexts': getContexts,
    'get-clusters': listing('clusters'),
    'get-users': listing('users'),
    'use-context': use,
    'rename-context': rename,
    set: setProperty,
    unset: unsetProperty,
    'set-cluster': setCluster,
    'set-credentials': setCredentials,
    'set-context': setContext,
    'delete-cluster': deleting('clusters'),
    'delete-user': deleting('users'),
    'delete-context': deleting('contexts'),
  },
}
