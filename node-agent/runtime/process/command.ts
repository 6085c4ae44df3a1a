import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import type { ImageConfig } from '../../images/oci/image.ts'
import type { ContainerConfig } from '../cri.ts'

/** A process to start on this machine. */
export interface HostCommand {
  file: string
  args: string[]
  env: Record<string, string>
  cwd: string
}

export interface CommandSource {
  config: ContainerConfig
  image: ImageConfig['config']
  /** The directory that stands for the container's root; mounts are links in it. */
  root: string
  podIp: string
}

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * What a container's command is on a machine whose root is not the container's: paths that lie in the container's root
 * or in its mounts are rewritten to where they are, and what the image does not bring is run from the machine. With
 * `command`, another command in the same container. Throws an Error that says what cannot be run.
 */
export function hostCommand(source: CommandSource, command?: readonly string[]): HostCommand {
  const { config, image, root, podIp } = source
  const words = command ?? ownCommand(config, image)
  if (words.length === 0) throw new Error('no command specified')
  const mounts = config.mounts.map(({ containerPath }) => containerPath).sort((a, b) => b.length - a.length)
  const inRoot = (word: string) => rewritten(word, root, mounts)

  const env: Record<string, string> = { PATH: usualPath, HOME: process.env.HOME ?? '/' }
  for (const text of image?.Env ?? []) {
    const mark = text.indexOf('=')
    if (mark > 0) env[text.slice(0, mark)] = text.slice(mark + 1)
  }
  if (podIp !== '') env.POD_IP = podIp
  env.HOSTNAME ??= ''
  for (const { key, value } of config.envs) env[key] = inMounts(value, root, mounts)
  const searched = env.PATH ?? usualPath
  // What an image brings, its programs may call too.
  env.PATH = `${searched
    .split(':')
    .map((directory) => join(root, directory))
    .filter((directory) => existsSync(directory))
    .concat(searched, process.env.PATH ?? '')
    .join(':')}`

  const directory = config.workingDir || image?.WorkingDir || '/'
  const cwd = join(root, directory)
  const [first = '', ...rest] = words
  return { file: executable(first, root, cwd, searched), args: rest.map(inRoot), env, cwd }
}

function ownCommand(config: ContainerConfig, image: ImageConfig['config']): string[] {
  const entrypoint = config.command.length > 0 ? config.command : (image?.Entrypoint ?? [])
  // A command of one's own drops the image's arguments too.
  const args = config.args.length > 0 || config.command.length > 0 ? config.args : (image?.Cmd ?? [])
  return [...entrypoint, ...args]
}

/** A path in the container becomes where it is here; anything else stays, but for mounted paths within it. */
function rewritten(word: string, root: string, mounts: readonly string[]): string {
  if (isAbsolute(word) && word !== '/' && existsSync(join(root, word))) return join(root, word)
  return inMounts(word, root, mounts)
}

function inMounts(text: string, root: string, mounts: readonly string[]): string {
  for (const mount of mounts) {
    if (mount === '/' || !text.includes(mount)) continue
    const pattern = new RegExp(`(?<![\\w./-])${mount.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?=$|[^\\w.-])`, 'g')
    return text.replace(pattern, () => join(root, mount))
  }
  return text
}

function executable(word: string, root: string, cwd: string, path: string): string {
  const candidates = word.includes('/')
    ? isAbsolute(word)
      ? [join(root, word), word]
      : [join(cwd, word)]
    : [...path.split(':').map((dir) => join(root, dir, word)), ...hostDirectories(path).map((dir) => join(dir, word))]
  const found = candidates.find(isExecutable)
  if (found) return found
  if (word.includes('/')) {
    const why = candidates.some((file) => existsSync(file)) ? 'permission denied' : 'no such file or directory'
    throw new Error(`exec: ${JSON.stringify(word)}: ${why}`)
  }
  throw new Error(`exec: ${JSON.stringify(word)}: executable file not found in $PATH`)
}

/** Where this program itself is, there is a node. */
const hostDirectories = (path: string): string[] => [
  ...new Set(
    [...path.split(':'), ...(process.env.PATH ?? '').split(':'), dirname(process.execPath)].filter(isAbsolute),
  ),
]

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
