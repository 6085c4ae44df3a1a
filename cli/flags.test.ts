import { Command } from 'commander'
import { expect, test } from 'vitest'
import { addSharedFlags } from './flags.ts'
import type { Verb } from './verb.ts'
import { verbs } from './verbs.ts'

const withThoseBelow = (name: string, verb: Verb): [string, Verb][] => [
  [name, verb],
  ...Object.entries(verb.verbs ?? {}).flatMap(([word, below]) => withThoseBelow(`${name} ${word}`, below)),
]

test('no verb has a flag twice, whatever flags it shares with all others', async () => {
  for (const [name, { load }] of Object.entries(verbs)) {
    for (const [words, { define }] of withThoseBelow(name, await load())) {
      const command = new Command(words)
      define?.(command)
      expect(() => addSharedFlags(command), words).not.toThrow()
    }
  }
})
