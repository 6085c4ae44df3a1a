import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Those of bin/gantry's first line: V8 takes compiled code back only under the flags it was made with. */
const nodeFlags = ['--max-semi-space-size=4']

const executable = (): string => resolve(process.argv[1] ?? 'bin/gantry')

/** The command line that runs `gantry NAME …` as this very Gantry. */
export const gantryCommand = (name: string, args: readonly string[]): [string, ...string[]] => [
  process.execPath,
  ...nodeFlags,
  executable(),
  name,
  ...args,
]

/** Changes whenever another program is built for `gantry NAME`. */
export function programVersion(name: string): string {
  const bundle = join(dirname(executable()), '../dist', `${name}.cjs`)
  const file = statSync(bundle, { throwIfNoEntry: false })
  return file ? `${file.mtimeMs}/${file.size}` : ''
}
