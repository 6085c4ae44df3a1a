import type { Command } from 'commander'
import { CliError } from './errors.ts'
import { otherCommands } from './other-commands.ts'
import { listPlugins } from './plugin/find.ts'
import type { Verb, Verbs } from './verb.ts'

/** Programs named `gantry-WORD` or `kubectl-WORD` that `gantry WORD` runs, where the word is none of `verbs`. */
export function pluginAmong(verbs: Verbs): Verb<object> {
  const list: Verb<{ nameOnly?: boolean }> & { summary: string } = {
    summary: 'list the plugins on your PATH',
    usage: '',
    examples: ['gantry plugin list', 'gantry plugin list --name-only'],
    define: (command: Command) => void command.option('--name-only', 'their file names, without the directories'),
    async run({ io }, args, { nameOnly }) {
      if (args.length > 0) throw new CliError(`unexpected arguments: [${args.join(' ')}]`)
      const found = listPlugins(io.env, [...Object.keys(verbs), ...otherCommands])
      if (found.length === 0)
        throw new CliError(
          'unable to find any plugins in your PATH: executable files named gantry-WORD or kubectl-WORD',
        )
      io.out('The following compatible plugins are available:\n\n')
      let count = 0
      for (const { path, warnings } of found) {
        io.out(`${nameOnly ? path.slice(path.lastIndexOf('/') + 1) : path}\n`)
        for (const warning of warnings) io.err(`  - warning: ${warning}\n`)
        count += warnings.length
      }
      if (count > 0)
        throw new CliError(`${count === 1 ? 'one plugin warning was' : `${count} plugin warnings were`} found`)
      return 0
    },
  }
  return { usage: '', examples: [], verbs: { list }, run: async () => 0 }
}
