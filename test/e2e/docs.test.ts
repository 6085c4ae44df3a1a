import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { runGantry } from '../support/cluster.ts'

// What the README and the docs tell people to type: commands that there are, with flags that they have.

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
)

/** Understood by every verb, and not shown to everybody. */
const shared = new Set(['--as', '--as-group', '--token', '--server', '--insecure-skip-tls-verify', '--request-timeout'])

/** The gantry commands in a text: those in blocks, and those in backquotes that have a flag. */
function commandsIn(text: string): string[][] {
  const blocks = [...text.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n'))
  const inline = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) =>
    code.replace(/\s+/g, ' '),
  )
  return [...blocks, ...inline].flatMap((line) => {
    const [, rest] = /^\s*(?:\$ )?(?:bin\/)?gantry ([^#|<>]+)/.exec(line) ?? []
    return rest ? [rest.trim().split(/\s+/)] : []
  })
}

/** The words that name a command: `rollout undo`. */
const nameOf = (words: readonly string[]): string[] => {
  const [verb = '', second = ''] = words
  return ['image', 'rollout', 'config', 'auth', 'create', 'top', 'certificate', 'set', 'volume'].includes(verb) &&
    /^[a-z-]+$/.test(second)
    ? [verb, second]
    : [verb]
}

const helps = new Map<string, Promise<string>>()
const helpOf = (name: readonly string[]): Promise<string> => {
  const key = name.join(' ')
  const known = helps.get(key) ?? runGantry([...name, '--help']).then(({ stdout, stderr }) => stdout + stderr)
  helps.set(key, known)
  return known
}

describe.each(pages)('%s', (page) => {
  const commands = commandsIn(readFileSync(join(root, page), 'utf8')).filter(([verb = '']) =>
    /^(?!help$)[a-z][a-z-]+$/.test(verb),
  )
  test.skipIf(commands.length === 0)('tells of commands that there are, with flags that they have', async () => {
    const { stdout: all } = await runGantry(['help'])
    for (const words of commands) {
      const name = nameOf(words)
      expect(all, words.join(' ')).toMatch(new RegExp(`^ {2}${name[0]} `, 'm'))
      const end = words.includes('--') ? words.indexOf('--') : words.length
      for (const word of words.slice(0, end)) {
        const flag = /^--[a-z][a-z-]*/.exec(word)?.[0]
        if (flag && !shared.has(flag))
          expect(await helpOf(name), words.join(' ')).toContain(flag.replace(/^--no-/, '--'))
      }
    }
  })
})
