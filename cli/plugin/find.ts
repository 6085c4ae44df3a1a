import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Programs that add a command: first our own, then those made for kubectl. */
const prefixes = ['gantry-', 'kubectl-']

/** A program on the path that is named as a plugin. */
export interface Plugin {
  path: string
  /** The words by which it is called: `gantry-foo-bar_baz` by `foo bar-baz`. */
  words: readonly string[]
  /** Why it is not run, or not by all its words; empty for most. */
  warnings: readonly string[]
}

/** The program that a command line means which names no command, and what is left for it: the longest name counts. */
export function findPlugin(
  line: readonly string[],
  env: NodeJS.ProcessEnv,
): { path: string; args: readonly string[] } | undefined {
  const end = line.findIndex((word) => word.startsWith('-'))
  const words = (end < 0 ? line : line.slice(0, end)).map((word) => word.replaceAll('-', '_'))
  // A path is not looked for outside of $PATH.
  if (words.some((word) => word.includes('/'))) return undefined
  for (let count = words.length; count > 0; count--) {
    for (const prefix of prefixes) {
      const path = onPath(`${prefix}${words.slice(0, count).join('-')}`, env)
      if (path) return { path, args: line.slice(count) }
    }
  }
  return undefined
}

/** All plugins on the path, in its order. `commands` are those that a plugin cannot take the place of. */
export function listPlugins(env: NodeJS.ProcessEnv, commands: readonly string[]): Plugin[] {
  const found: Plugin[] = []
  for (const directory of directoriesOf(env)) {
    for (const name of filesIn(directory)) {
      const prefix = prefixes.find((begin) => name.startsWith(begin) && name.length > begin.length)
      if (!prefix) continue
      const words = name
        .slice(prefix.length)
        .split('-')
        .map((word) => word.replaceAll('_', '-'))
      const path = join(directory, name)
      const called = words.join(' ')
      const before = found.find((other) => other.words.join(' ') === called)
      found.push({
        path,
        words,
        warnings: [
          ...(isExecutable(path) ? [] : [`${path} identified as a plugin, but it is not executable`]),
          ...(before ? [`${path} is overshadowed by a similarly named plugin: ${before.path}`] : []),
          ...(commands.includes(words[0] ?? '') ? [`${path} overwrites existing command: "gantry ${words[0]}"`] : []),
        ],
      })
    }
  }
  return found
}

const directoriesOf = (env: NodeJS.ProcessEnv) => [
  ...new Set((env.PATH ?? '').split(delimiter).filter((directory) => directory !== '')),
]

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .sort()
  } catch {
    // Many a $PATH names what is not there.
    return []
  }
}

const onPath = (name: string, env: NodeJS.ProcessEnv) =>
  directoriesOf(env)
    .map((directory) => join(directory, name))
    .find(isExecutable)

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
