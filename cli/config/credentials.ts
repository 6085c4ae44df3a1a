import { CliError } from '../errors.ts'

type Fields = Record<string, unknown>

interface Variable {
  name: string
  value: string
}

/** The program that gets a user's credentials, as a kubeconfig has it. */
export interface Exec extends Fields {
  args?: readonly string[] | null
  env?: readonly Variable[] | null
}

/** How the program is told to the command line. */
export interface ExecFlags {
  execCommand?: string
  execApiVersion?: string
  execArg?: string[]
  execEnv?: string[]
  execInteractiveMode?: string
  execProvideClusterInfo?: boolean
}

const modes = ['IfAvailable', 'Never', 'Always']

/** The program after a change; undefined where there is none and none is named. Throws for what it cannot be told. */
export function withExec(before: Exec | undefined, flags: ExecFlags): Exec | undefined {
  const { execCommand, execApiVersion, execArg, execEnv = [], execInteractiveMode, execProvideClusterInfo } = flags
  if (execInteractiveMode !== undefined && !modes.includes(execInteractiveMode))
    throw new CliError(`invalid interactive mode type, can be only ${modes.join(', ')}`)
  const variables = execEnv.map(changeOf)
  if (!before && execCommand === undefined) return undefined
  const exec: Exec = before ?? { args: null, env: null, provideClusterInfo: false }
  return {
    ...exec,
    // Another command has other arguments.
    ...(execCommand === undefined ? {} : { command: execCommand, args: null }),
    ...(execApiVersion === undefined ? {} : { apiVersion: execApiVersion }),
    ...(execArg === undefined ? {} : { args: execArg }),
    ...(execInteractiveMode === undefined ? {} : { interactiveMode: execInteractiveMode }),
    ...(execProvideClusterInfo === undefined ? {} : { provideClusterInfo: execProvideClusterInfo }),
    ...(variables.length === 0 ? {} : { env: changed(exec.env ?? [], variables) }),
  }
}

/** `KEY=VALUE` sets a variable, `KEY-` takes it away. */
function changeOf(word: string): { name: string; value: string | undefined } {
  const at = word.indexOf('=')
  if (at > 0) return { name: word.slice(0, at), value: word.slice(at + 1) }
  if (at < 0 && word.length > 1 && word.endsWith('-')) return { name: word.slice(0, -1), value: undefined }
  throw new CliError(`invalid exec-env format: ${word}; write KEY=VALUE, or KEY- to take it away`)
}

function changed(
  before: readonly Variable[],
  changes: readonly { name: string; value: string | undefined }[],
): Variable[] {
  const values = new Map(before.map(({ name, value }) => [name, value]))
  for (const { name, value } of changes) {
    if (value === undefined) values.delete(name)
    else values.set(name, value)
  }
  return [...values].map(([name, value]) => ({ name, value }))
}
