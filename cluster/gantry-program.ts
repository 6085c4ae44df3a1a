import { realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import nodeFlags from '../bin/node-flags.json' with { type: 'json' }

/**
 * Flags by program: what waits most of the time is to be small, what answers everybody to be quick. The build makes V8's
 * code under the same: V8 takes it back only under the flags it was made with.
 */
const flagsOf = (name: string): readonly string[] =>
  (nodeFlags as Record<string, readonly string[]>)[name] ?? nodeFlags.apiserver

/** The folder of bin/gantry, by which this process was started. */
const bin = (): string => dirname(realpathSync(resolve(process.argv[1] ?? 'bin/gantry')))

/** The command line that runs `gantry NAME …` as this very Gantry. */
export const gantryCommand = (name: string, args: readonly string[]): [string, ...string[]] => [
  process.execPath,
  ...flagsOf(name),
  join(bin(), 'launch.cjs'),
  name,
  ...args,
]

/** Changes whenever another program is built for `gantry NAME`. */
export function programVersion(name: string): string {
  const bundle = join(bin(), '../dist', `${name}.cjs`)
  const file = statSync(bundle, { throwIfNoEntry: false })
  return file ? `${file.mtimeMs}/${file.size}` : ''
}

/** A file of this checkout or package. */
export const ownFile = (...path: string[]): string => join(bin(), '..', ...path)
