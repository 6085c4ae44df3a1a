import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { CliError } from '../errors.ts'

/** A compose file, as far as it is understood here. */
export interface ComposeFile {
  name?: string
  services?: Record<string, ComposeService | null>
  volumes?: Record<string, unknown>
  secrets?: Record<string, { file?: string; environment?: string } | null>
  configs?: Record<string, { file?: string; content?: string } | null>
  [field: string]: unknown
}

export interface ComposeService {
  image?: string
  build?: unknown
  command?: string | string[]
  entrypoint?: string | string[]
  environment?: Record<string, string | number | boolean | null> | string[]
  env_file?: string | (string | { path: string })[]
  ports?: (string | number | { target: number; published?: string | number; protocol?: string })[]
  expose?: (string | number)[]
  volumes?: (string | { type?: string; source?: string; target: string; read_only?: boolean })[]
  tmpfs?: string | string[]
  depends_on?: string[] | Record<string, { condition?: string } | null>
  healthcheck?: {
    test?: string | string[]
    interval?: string
    timeout?: string
    retries?: number
    start_period?: string
    disable?: boolean
  }
  deploy?: {
    replicas?: number
    resources?: { limits?: ComposeResources; reservations?: ComposeResources }
    [field: string]: unknown
  }
  secrets?: (string | { source: string; target?: string })[]
  configs?: (string | { source: string; target?: string })[]
  labels?: Record<string, string> | string[]
  restart?: string
  user?: string | number
  working_dir?: string
  stdin_open?: boolean
  tty?: boolean
  read_only?: boolean
  privileged?: boolean
  cap_add?: string[]
  cap_drop?: string[]
  stop_grace_period?: string
  hostname?: string
  [field: string]: unknown
}

export interface ComposeResources {
  cpus?: string | number
  memory?: string
}

/** Where compose looks when no file is named. */
const defaultNames = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml']

/** Reads a compose file, its variables filled in. */
export function readCompose(
  named: string | undefined,
  env: NodeJS.ProcessEnv,
): { file: ComposeFile; directory: string; project: string } {
  const path = named ?? defaultNames.find((name) => existsSync(name))
  if (!path) throw new CliError(`there is no ${defaultNames.join(', ')} here: name a file with -f`)
  if (!existsSync(path)) throw new CliError(`the path "${path}" does not exist`)
  const directory = resolve(dirname(path))
  const variables = { ...envFile(join(directory, '.env'), false), ...env }
  let file: ComposeFile
  try {
    file = (parse(interpolated(readFileSync(path, 'utf8'), variables), { merge: true }) ?? {}) as ComposeFile
  } catch (error) {
    throw error instanceof CliError ? error : new CliError(`error parsing ${path}: ${(error as Error).message}`)
  }
  if (!file.services || Object.keys(file.services).length === 0) throw new CliError(`${path} has no services`)
  const project = (file.name ?? basename(directory))
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return { file, directory, project: project || 'compose' }
}

/** `${NAME}`, `${NAME:-default}`, `${NAME:?why}`, `$NAME`; `$$` is a dollar. */
export function interpolated(text: string, variables: Readonly<Record<string, string | undefined>>): string {
  return text.replace(
    /\$(?:\$|\{([A-Za-z_]\w*)(?:(:?[-?+])([^}]*))?\}|([A-Za-z_]\w*))/g,
    (whole, braced?: string, operator?: string, argument = '', bare?: string) => {
      if (whole === '$$') return '$'
      const name = braced ?? bare ?? ''
      const value = variables[name]
      const isSet = operator?.startsWith(':') ? Boolean(value) : value !== undefined
      switch (operator?.at(-1)) {
        case '-':
          return isSet ? (value ?? '') : argument
        case '+':
          return isSet ? argument : ''
        case '?':
          if (!isSet) throw new CliError(`the variable ${name} is not set: ${argument || 'the file needs it'}`)
      }
      return value ?? ''
    },
  )
}

/** `NAME=value` lines; quotes around a value are no part of it. */
export function envFile(path: string, isNeeded = true): Record<string, string> {
  if (!existsSync(path)) {
    if (isNeeded) throw new CliError(`the env_file ${path} does not exist`)
    return {}
  }
  const found: Record<string, string> = {}
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, name, value = ''] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (name) found[name] = value.replace(/^(["'])(.*)\1$/, '$2')
  }
  return found
}
