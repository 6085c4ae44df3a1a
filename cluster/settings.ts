import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'

export const runtimeKinds = ['containerd', 'process', 'hollow'] as const
export type RuntimeKind = (typeof runtimeKinds)[number]
export const storeKinds = ['embedded', 'etcd'] as const
export type StoreKind = (typeof storeKinds)[number]

/** What a cluster is made as. Kept in its data directory, so that the next `gantry up` goes on with the same. */
export interface Settings {
  runtime: RuntimeKind
  store: StoreKind
  nodes: number
  /** Of the API. */
  port: number
  schedulerPort: number
  controllerManagerPort: number
  /** Client and peer port of a private etcd. */
  etcdPorts: [number, number]
  /** Further flags by component: `{ apiserver: { 'event-ttl': '2h' } }`. */
  extraConfig?: ExtraConfig
}

export type ExtraConfig = Partial<Record<ExtraComponent, Record<string, string>>>

const extraComponents = ['apiserver', 'scheduler', 'controller-manager', 'node-agent'] as const
export type ExtraComponent = (typeof extraComponents)[number]

/** What was asked for on the command line; what is left out is as it was, or as it is by default. */
export interface UpFlags {
  dataDir: string
  runtime?: RuntimeKind
  store?: StoreKind
  nodes?: number
  port?: number
  extraConfig?: ExtraConfig
  detach: boolean
  quickstart: boolean
  help: boolean
  /** Not for people: this is the process that stays in the background. */
  supervise: boolean
}

export const upHelp = `Usage: gantry up [flags]

Starts a cluster on this machine: API server, scheduler, controllers and one agent a node, each a process of its own that
comes back when it ends. Started again on the same directory, it goes on where it was.

  --data-dir DIR    where everything is kept (default .gantry)
  --nodes N         how many nodes; more than one live in network namespaces of their own (default 1)
  --runtime KIND    what runs containers: containerd, process (plain processes of this machine, without isolation) or
                    hollow (nothing is run, for trying out scale). Default: containerd where it can be had, else process
  --store KIND      where objects are kept: embedded, or etcd, a private one (default embedded)
  --port N          port of the API (default 6443; 0 takes any free one)
  --extra-config COMPONENT.FLAG=VALUE
                    a further flag for apiserver, scheduler, controller-manager or node-agent, as often as needed;
                    kept for the next start; an empty VALUE takes it back
  --detach          return when the cluster is ready; it goes on in the background, its logs in DIR/logs
  --quickstart      run the application of manifests/quickstart and call it

gantry status shows what runs, gantry down ends it.
`

/** Reads the flags of `gantry up`. Throws an Error that says what to do about one that makes no sense. */
export function parseUpFlags(args: readonly string[]): UpFlags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'data-dir': { type: 'string', default: '.gantry' },
      runtime: { type: 'string' },
      store: { type: 'string' },
      nodes: { type: 'string' },
      port: { type: 'string' },
      'extra-config': { type: 'string', multiple: true },
      detach: { type: 'boolean', short: 'd', default: false },
      quickstart: { type: 'boolean', default: false },
      supervise: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const flags: UpFlags = {
    dataDir: values['data-dir'],
    detach: values.detach,
    quickstart: values.quickstart,
    supervise: values.supervise,
    help: values.help,
  }
  if (values.runtime !== undefined) flags.runtime = oneOf('--runtime', values.runtime, runtimeKinds)
  if (values.store !== undefined) flags.store = oneOf('--store', values.store, storeKinds)
  if (values.nodes !== undefined) flags.nodes = whole('--nodes', values.nodes, 1, 250)
  if (values.port !== undefined) flags.port = whole('--port', values.port, 0, 65_535)
  if (values['extra-config']) flags.extraConfig = parseExtraConfig(values['extra-config'])
  return flags
}

/** What was kept of the cluster in this directory; undefined if there is none yet. */
export function readSettings(path: string): Settings | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return JSON.parse(text) as Settings
}

/** Keeps them. */
export function writeSettings(path: string, settings: Settings): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.tmp`, `${JSON.stringify(settings, undefined, 2)}\n`)
  renameSync(`${path}.tmp`, path)
}

export interface FreshSettings {
  runtime: RuntimeKind
  /** A port of this machine that is free: the wanted one, if it is. */
  freePort: (wanted?: number) => Promise<number>
}

/**
 * What the cluster is to be: what was asked for, over what was kept, over the defaults. Throws an Error for a change that
 * an existing cluster cannot make.
 */
export async function settle(flags: UpFlags, kept: Settings | undefined, fresh: FreshSettings): Promise<Settings> {
  if (kept) {
    const other = `it needs a directory of its own: --data-dir DIR, or remove this one with gantry down --delete-data`
    if (flags.store !== undefined && flags.store !== kept.store) {
      throw new Error(
        `this cluster keeps its objects in ${storeNames[kept.store]}; with --store ${flags.store} ${other}`,
      )
    }
    if (flags.runtime !== undefined && flags.runtime !== kept.runtime) {
      throw new Error(`this cluster runs on ${kept.runtime}; with --runtime ${flags.runtime} ${other}`)
    }
    const { extraConfig: _, ...rest } = kept
    return {
      ...rest,
      nodes: flags.nodes ?? kept.nodes,
      port: flags.port || kept.port,
      ...merged(kept.extraConfig, flags.extraConfig),
    }
  }
  const { runtime, freePort } = fresh
  const store = flags.store ?? 'embedded'
  // A port that was named is tried as it is: that it is taken must be said.
  const port = flags.port === 0 ? await freePort() : (flags.port ?? 6443)
  // A second cluster on this machine takes other ports than the first.
  const usual = port === 6443
  return {
    runtime: flags.runtime ?? runtime,
    store,
    nodes: flags.nodes ?? 1,
    port,
    schedulerPort: await freePort(usual ? 10_259 : undefined),
    controllerManagerPort: await freePort(usual ? 10_257 : undefined),
    etcdPorts:
      store === 'etcd' ? [await freePort(usual ? 2379 : undefined), await freePort(usual ? 2380 : undefined)] : [0, 0],
    ...merged(undefined, flags.extraConfig),
  }
}

const storeNames = { embedded: 'the embedded store', etcd: 'etcd' }

function parseExtraConfig(words: readonly string[]): ExtraConfig {
  const config: ExtraConfig = {}
  for (const word of words) {
    const [, name = '', flag = '', value = ''] = /^([a-z-]+)\.([a-z0-9-]+)=(.*)$/s.exec(word) ?? []
    if (flag === '') {
      throw new Error(`--extra-config: ${JSON.stringify(word)} is not of the form COMPONENT.FLAG=VALUE`)
    }
    const component = oneOf('--extra-config', name, extraComponents)
    config[component] = { ...config[component], [flag]: value }
  }
  return config
}

/** What was kept with what was asked for; an empty value takes a flag back. */
function merged(kept: ExtraConfig = {}, asked: ExtraConfig = {}): { extraConfig?: ExtraConfig } {
  const all: ExtraConfig = {}
  for (const component of extraComponents) {
    const flags = Object.entries({ ...kept[component], ...asked[component] }).filter(([, value]) => value !== '')
    if (flags.length > 0) all[component] = Object.fromEntries(flags)
  }
  return Object.keys(all).length > 0 ? { extraConfig: all } : {}
}

function oneOf<T extends string>(flag: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value)
  if (found === undefined) throw new Error(`${flag}: ${JSON.stringify(value)} is none of ${choices.join(', ')}`)
  return found
}

function whole(flag: string, value: string, low: number, high: number): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < low || number > high) {
    throw new Error(`${flag}: ${JSON.stringify(value)} is not a whole number from ${low} to ${high}`)
  }
  return number
}
