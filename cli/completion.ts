import { nextWords } from './completion/next-words.ts'
import { scripts } from './completion/scripts.ts'
import { CliError } from './errors.ts'
import { nearest } from './nearest.ts'
import { Session } from './session.ts'
import type { Verb, Verbs } from './verb.ts'

export const completion: Verb<object> = {
  usage: Object.keys(scripts).join('|'),
  examples: [
    'source <(gantry completion bash)    # also in ~/.bashrc',
    'source <(gantry completion zsh)',
    'gantry completion fish | source',
  ],
  async run(session, [shell = '', ...more]) {
    const script = scripts[shell]
    if (script && more.length === 0) {
      session.io.out(script)
      return 0
    }
    const meant = nearest(shell, Object.keys(scripts))
    throw new CliError(
      shell === ''
        ? `say for which shell: ${Object.keys(scripts).join(', ')}`
        : `unsupported shell type ${JSON.stringify(shell)}${meant ? `. Did you mean "${meant}"?` : ''}`,
    )
  },
}

/** What the scripts ask; they show nothing where it knows nothing, or no server answers. */
export const completeAmong = (verbs: Verbs): Verb<object> => ({
  usage: '-- WORD...',
  examples: ['gantry __complete -- get po'],
  async run(session, _args, _flags, words = []) {
    const asking = new Session(
      session.io,
      { ...session.flags, ...sharedFlags(words), requestTimeout: '2s' },
      session.clock,
    )
    try {
      const current = words.at(-1) ?? ''
      const found = await nextWords(asking, words, verbs)
      session.io.out(
        found
          .filter((word) => word.startsWith(current))
          .map((word) => `${word}\n`)
          .join(''),
      )
      return 0
    } catch {
      // Somebody is typing: a message now would stand in the middle of the line.
      return 1
    } finally {
      asking.close()
    }
  },
})

/** The flags among the words that say which cluster and namespace is meant. */
function sharedFlags(words: readonly string[]): Record<string, string> {
  const names: Record<string, string> = {
    '-n': 'namespace',
    '--namespace': 'namespace',
    '--kubeconfig': 'kubeconfig',
    '--context': 'context',
  }
  const flags: Record<string, string> = {}
  const plain = words.flatMap((word) => {
    const [flag = '', ...value] = word.split('=')
    return names[flag] && value.length > 0 ? [flag, value.join('=')] : [word]
  })
  for (const [i, word] of plain.slice(0, -2).entries()) {
    const name = names[word]
    if (name) flags[name] = plain[i + 1] ?? ''
  }
  return flags
}
