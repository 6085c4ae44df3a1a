import { Command } from 'commander'
import { addSharedFlags } from './flags.ts'
import type { Verb } from './verb.ts'

/** `gantry options`: the flags that every verb understands, most of which its own help leaves out. */
export const options: Verb<object> = {
  usage: '',
  examples: ['gantry options'],
  async run({ io }) {
    const shared = new Command()
    addSharedFlags(shared)
    const width = Math.max(...shared.options.map(({ flags }) => flags.length))
    const lines = shared.options.map(({ flags, description }) => `  ${flags.padEnd(width)}  ${description}`)
    io.out(`The following flags can be given to any command:\n\n${lines.join('\n')}\n`)
    return 0
  },
}
