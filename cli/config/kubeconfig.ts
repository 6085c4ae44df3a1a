import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { CliError } from '../errors.ts'
import { toYaml } from '../print/yaml.ts'
import type { Session } from '../session.ts'

type Fields = Record<string, unknown>

/** A named entry: `{name, cluster}`, `{name, user}` or `{name, context}`. */
export type Entry = { name: string } & Fields

/** A kubeconfig file as it stands. */
export interface Kubeconfig extends Fields {
  clusters?: Entry[] | null
  users?: Entry[] | null
  contexts?: Entry[] | null
  'current-context'?: string
}

export type Section = 'clusters' | 'users' | 'contexts'

/** The files that are in use, the first of which is written to. */
export function filesInUse({ flags, io }: Session): string[] {
  const local = resolve('.gantry/kubeconfig')
  const named = flags.kubeconfig || io.env.KUBECONFIG
  if (named) return named.split(':').filter((file) => file !== '')
  return [existsSync(local) ? local : resolve(homedir(), '.kube/config')]
}

/** What a file says; empty where there is none. */
export function readKubeconfig(file: string): Kubeconfig {
  if (!existsSync(file)) return { apiVersion: 'v1', kind: 'Config', clusters: [], contexts: [], users: [] }
  try {
    return (parse(readFileSync(file, 'utf8')) ?? {}) as Kubeconfig
  } catch (error) {
    throw new CliError(`error loading config file "${file}": ${(error as Error).message}`)
  }
}

/** All files as one: what an earlier one says counts. */
export function mergedKubeconfig(files: readonly string[]): Kubeconfig {
  const all = files.map(readKubeconfig)
  const entries = (section: Section) => {
    const found = new Map<string, Entry>()
    for (const config of all)
      for (const entry of config[section] ?? []) if (!found.has(entry.name)) found.set(entry.name, entry)
    return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }
  return {
    apiVersion: 'v1',
    clusters: entries('clusters'),
    contexts: entries('contexts'),
    'current-context': all.map((config) => config['current-context']).find((name) => name) ?? '',
    kind: 'Config',
    users: entries('users'),
  }
}

/** Changes the file that has what is to be changed, or the first. */
export function changeKubeconfig(
  session: Session,
  has: (config: Kubeconfig) => boolean,
  change: (config: Kubeconfig) => Kubeconfig,
): string {
  const files = filesInUse(session)
  const file = files.find((one) => existsSync(one) && has(readKubeconfig(one))) ?? files[0] ?? ''
  const text = toYaml(change(readKubeconfig(file)))
  mkdirSync(dirname(file), { recursive: true })
  // It holds keys.
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

const secret = /^(certificate-authority-data|client-certificate-data|client-key-data)$/

/** A copy without what nobody must see over the user's shoulder. */
export function redacted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redacted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      key,
      secret.test(key) ? 'DATA+OMITTED' : key === 'token' || key === 'password' ? 'REDACTED' : redacted(field),
    ]),
  )
}

/** What the context in use needs, and nothing else. */
export function minified(config: Kubeconfig, name: string): Kubeconfig {
  const context = config.contexts?.find((one) => one.name === name)
  if (!context) throw new CliError(`cannot locate context ${name}`)
  const { cluster, user } = (context.context ?? {}) as { cluster?: string; user?: string }
  return {
    ...config,
    clusters: (config.clusters ?? []).filter((one) => one.name === cluster),
    contexts: [context],
    'current-context': name,
    users: (config.users ?? []).filter((one) => one.name === user),
  }
}

/** An entry with some fields set; others are kept. */
export function withEntry(
  config: Kubeconfig,
  section: Section,
  name: string,
  fields: Fields,
): { config: Kubeconfig; isNew: boolean } {
  const key = section.slice(0, -1)
  const entries = config[section] ?? []
  const before = entries.find((one) => one.name === name)
  const entry: Entry = { name, [key]: { ...(before?.[key] as Fields | undefined), ...fields } }
  const others = entries.filter((one) => one.name !== name)
  const sorted = [...others, entry].sort((a, b) => (a.name < b.name ? -1 : 1))
  return { config: { ...config, [section]: sorted }, isNew: !before }
}
