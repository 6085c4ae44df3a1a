import { type FSWatcher, watch } from 'node:fs'
import { lstat, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../../client/logger.ts'
import type { Clock } from '../../client/types.ts'
import { Nap } from '../pods/nap.ts'
import { isBuiltIn } from './built-in.ts'
import type { CsiConnection } from './client.ts'
import type { CsiDrivers } from './drivers.ts'
import type { NodeInfo } from './messages.ts'

/** How a plugin introduces itself. */
interface PluginInfo {
  type: string
  name: string
  endpoint: string
  supportedVersions: string[]
}

/** Who has to do with plugins of another type than storage drivers. */
export interface PluginHandler {
  /** Throws an Error that says what is wrong with it. */
  add(plugin: PluginInfo): void | Promise<void>
  remove(name: string, endpoint: string): void
}

export interface RegistrationOptions {
  /** Where plugins put their sockets: `ROOT/plugins_registry`. */
  directory: string
  drivers: CsiDrivers
  /** By the type of plugin. */
  others?: ReadonlyMap<string, PluginHandler>
  clock: Clock
  log: Logger
  signal: AbortSignal
}

/** A socket of the registry, and what has become of it. */
interface Plugin {
  /** Which file it is: one that is removed and made anew is another one. */
  inode: string
  /** The driver it has registered. */
  driver?: { name: string; endpoint: string; type: string }
  /** Its registration is under way. */
  busy: boolean
  failures: number
  /** Not tried again before (milliseconds since 1970). */
  retryAt: number
  /** What it is is nobody's business here. */
  foreign: boolean
}

const storageType = 'CSIPlugin'
const callTimeoutMs = 10_000
/** The registry is looked at by itself too: a watch may miss something. */
const lookMs = 10_000
const maxRetryMs = 120_000

/** Registers the drivers whose sockets are put into the registry, and forgets them when these go. Runs until the signal fires. */
export async function followRegistry(options: RegistrationOptions): Promise<void> {
  const { directory, drivers, clock, log, signal } = options
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const plugins = new Map<string, Plugin>()
  const nap = new Nap(clock, signal)
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(directory, () => nap.wake())
    watcher.on('error', (error) =>
      log.warn({ err: error, directory }, 'the registry of plugins is looked at now and then'),
    )
  } catch (error) {
    log.warn({ err: error, directory }, 'the registry of plugins is looked at now and then')
  }
  for (let first = true; !signal.aborted; first = false) {
    const started = await look(options, plugins, nap).catch((error) => {
      log.warn({ err: error, directory }, 'the registry of plugins cannot be read')
      return []
    })
    if (first) void Promise.all(started).then(() => drivers.settle())
    const due = [...plugins.values()].flatMap(({ retryAt }) => (retryAt > 0 ? [retryAt - clock.now()] : []))
    await nap.rest(Math.max(50, Math.min(lookMs, ...due)))
  }
  watcher?.close()
}

/** Compares the registry with what is known; answers the registrations that have begun. */
async function look(options: RegistrationOptions, plugins: Map<string, Plugin>, nap: Nap): Promise<Promise<void>[]> {
  const { clock } = options
  const found = await socketsIn(options.directory)
  for (const [path, plugin] of plugins) {
    if (found.get(path) === plugin.inode) continue
    plugins.delete(path)
    forget(options, path, plugin)
  }
  const started: Promise<void>[] = []
  for (const [path, inode] of found) {
    const plugin = plugins.get(path) ?? { inode, busy: false, failures: 0, retryAt: 0, foreign: false }
    plugins.set(path, plugin)
    if (plugin.busy || plugin.driver || plugin.foreign || plugin.retryAt > clock.now()) continue
    plugin.busy = true
    // Side by side: one that hangs keeps no other waiting.
    started.push(
      tryOnce(options, path, plugin).finally(() => {
        plugin.busy = false
        // Gone while it was being asked.
        if (plugins.get(path) !== plugin) forget(options, path, plugin)
        nap.wake()
      }),
    )
  }
  return started
}

/** Sockets by their paths, with what tells one from its successor. */
async function socketsIn(directory: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const name of (await readdir(directory)).sort()) {
    if (name.startsWith('.')) continue
    const path = join(directory, name)
    const entry = await lstat(path).catch(() => undefined)
    if (entry?.isSocket()) found.set(path, `${entry.ino}/${entry.ctimeMs}`)
  }
  return found
}

function forget({ drivers, others, log }: RegistrationOptions, socket: string, { driver }: Plugin): void {
  if (!driver) return
  const handler = others?.get(driver.type) ?? drivers
  handler.remove(driver.name, driver.endpoint)
  log.info({ driver: driver.name, type: driver.type, socket }, 'a driver has gone')
}

async function tryOnce(options: RegistrationOptions, path: string, plugin: Plugin): Promise<void> {
  const { clock, log } = options
  try {
    await register(options, path, plugin)
    plugin.retryAt = 0
    plugin.failures = 0
  } catch (error) {
    plugin.retryAt = clock.now() + Math.min(maxRetryMs, 500 * 2 ** plugin.failures++)
    log.warn({ err: error, socket: path }, 'a plugin cannot be registered yet')
  }
}

async function register(options: RegistrationOptions, path: string, plugin: Plugin): Promise<void> {
  const { others, log, signal } = options
  const { connectRegistrar } = await import('./client.ts')
  const registrar = connectRegistrar(path)
  try {
    const info = await registrar.call<PluginInfo>('GetInfo', {}, { timeoutMs: callTimeoutMs, signal })
    const handler = others?.get(info.type)
    if (info.type !== storageType && !handler) {
      plugin.foreign = true
      return
    }
    const notify = (error: string): Promise<object> =>
      registrar.call(
        'NotifyRegistrationStatus',
        { pluginRegistered: error === '', error },
        { timeoutMs: callTimeoutMs, signal },
      )
    try {
      if (handler) await handler.add(info)
      else await addStorage(options, info)
      plugin.driver = { name: info.name, endpoint: info.endpoint, type: info.type }
      log.info({ driver: info.name, type: info.type, socket: info.endpoint }, 'a driver has registered')
    } catch (error) {
      await notify(error instanceof Error ? error.message : String(error)).catch(() => undefined)
      throw error
    }
    await notify('')
  } finally {
    registrar.close()
  }
}

async function addStorage({ drivers, signal }: RegistrationOptions, info: PluginInfo): Promise<void> {
  check(info)
  const { connectCsi } = await import('./client.ts')
  const driver = connectCsi(info.endpoint)
  const node = await askNode(driver, signal).finally(() => driver.close())
  drivers.add({ name: info.name, socket: info.endpoint, info: node })
}

/** Throws an Error that says what is wrong with how a storage driver introduces itself. */
function check({ name, endpoint, supportedVersions }: PluginInfo): void {
  if (!/^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/.test(name)) {
    throw new Error(`${JSON.stringify(name)} is no name of a driver`)
  }
  if (isBuiltIn(name)) throw new Error(`${name} is a driver of this node's own`)
  if (endpoint === '') throw new Error('the driver does not say where it listens')
  if (!supportedVersions.some((version) => /^v?1\.\d+\.\d+/.test(version))) {
    throw new Error(`versions [${supportedVersions.join(' ')}] are not supported: 1.x is`)
  }
}

async function askNode(driver: CsiConnection, signal: AbortSignal): Promise<NodeInfo> {
  const info = await driver.call<NodeInfo>('NodeGetInfo', {}, { timeoutMs: callTimeoutMs, signal })
  if (info.nodeId === '') throw new Error('the driver has no id for this node')
  return info
}
