import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import type { Verb } from '../verb.ts'
import { changeKubeconfig, type Entry, type Kubeconfig, type Section } from './kubeconfig.ts'

type Fields = Record<string, unknown>

const sections: Record<Section, string> = { clusters: 'cluster', users: 'user', contexts: 'context' }

/** `clusters.mine.server`: a name may have dots, the field after it has none. Throws for what is no property. */
export function propertyOf(text: string): { section?: Section; name?: string; field?: string } {
  const [section = '', ...rest] = text.split('.')
  if (!(section in sections)) return { field: text }
  const field = rest.length > 1 ? rest.at(-1) : undefined
  const name = (field === undefined ? rest : rest.slice(0, -1)).join('.')
  return { section: section as Section, ...(name ? { name } : {}), ...(field === undefined ? {} : { field }) }
}

/** The config with a property set, or with `undefined` without it. */
export function withProperty(config: Kubeconfig, text: string, value: unknown): Kubeconfig {
  const { section, name, field } = propertyOf(text)
  if (!section) {
    const { [field ?? '']: _, ...others } = config
    return value === undefined ? others : { ...others, [field ?? '']: value }
  }
  const entries: readonly Entry[] = config[section] ?? []
  if (name === undefined || (field === undefined && value !== undefined))
    throw new CliError(`${text} is no property: write ${section}.NAME.FIELD`)
  if (field === undefined) return { ...config, [section]: entries.filter((one) => one.name !== name) }
  const word = sections[section]
  const changed = (entry: Entry): Entry => {
    const { [field]: _, ...others } = (entry[word] ?? {}) as Fields
    return { ...entry, [word]: value === undefined ? others : { ...others, [field]: value } }
  }
  const isThere = entries.some((one) => one.name === name)
  const all = isThere || value === undefined ? entries : [...entries, { name }]
  return { ...config, [section]: all.map((one) => (one.name === name ? changed(one) : one)) }
}

const booleans = new Set(['insecure-skip-tls-verify', 'disable-compression'])

/** Where the property is, or belongs. */
function write(session: Session, text: string, value: unknown): void {
  const { section, name } = propertyOf(text)
  changeKubeconfig(
    session,
    (config) => (section === undefined ? text in config : Boolean(config[section]?.some((one) => one.name === name))),
    (config) => withProperty(config, text, value),
  )
}

export const setProperty: Verb<{ setRawBytes?: string }> & { summary: string } = {
  summary: 'set one property',
  usage: 'PROPERTY VALUE',
  examples: ['gantry config set current-context mine', 'gantry config set clusters.mine.server https://127.0.0.1:6443'],
  define: (command) =>
    void command.option('--set-raw-bytes <bool>', 'of a property of bytes: the value is not in base64 yet'),
  async run(session, [property, value, ...more], flags) {
    if (!property || value === undefined || more.length > 0)
      throw new CliError('write gantry config set PROPERTY VALUE')
    const field = propertyOf(property).field ?? ''
    const isBytes = field.endsWith('-data')
    const bytes = flags.setRawBytes === 'true' ? Buffer.from(value).toString('base64') : value
    write(session, property, booleans.has(field) ? value === 'true' : isBytes ? bytes : value)
    session.io.out(`Property "${property}" set.\n`)
    return 0
  },
}

export const unsetProperty: Verb<object> & { summary: string } = {
  summary: 'take one property away',
  usage: 'PROPERTY',
  examples: ['gantry config unset contexts.mine.namespace', 'gantry config unset users.mine'],
  async run(session, [property, ...more]) {
    if (!property || more.length > 0) throw new CliError('write gantry config unset PROPERTY')
    write(session, property, undefined)
    session.io.out(`Property "${property}" unset.\n`)
    return 0
  },
}
