import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runGantry, withoutContainers } from '../support/cluster.ts'
import { readPage } from '../support/doc-page.ts'
import { newReader, type Reader } from '../support/reader.ts'

// What the README and the docs tell people to type: commands that there are, with flags that they have. And all that stands
// in a block is typed, and has to show what the page shows.

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
)

/** Understood by every verb, and not shown to everybody. */
const shared = new Set([
  '--as',
  '--as-group',
  '--user',
  '--token',
  '--server',
  '--insecure-skip-tls-verify',
  '--request-timeout',
])

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
const groups =
  /^(image|rollout|config|plugin|auth|create|create (secret|service|svc)|top|certificate|set|volume|apply|cluster-info)$/

/** The words that name a command: those of groups are followed by another. */
function nameOf(words: readonly string[]): string[] {
  const name = words.slice(0, 1)
  for (const word of words.slice(1)) {
    if (!groups.test(name.join(' ')) || !/^[a-z-]+$/.test(word) || word.startsWith('-')) break
    name.push(word)
  }
  return name
}

const helps = new Map<string, Promise<string>>()
const helpOf = (name: readonly string[]): Promise<string> => {
  const key = name.join(' ')
  const known = helps.get(key) ?? runGantry([...name, '--help']).then(({ stdout, stderr }) => stdout + stderr)
  helps.set(key, known)
  return known
}

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8')
  // A page may have a plugin, with a command that nobody knows elsewhere.
  const commands = commandsIn(text).filter(
    ([verb = '']) => /^(?!help$)[a-z][a-z-]+$/.test(verb) && !text.includes(`/gantry-${verb}`),
  )
  test.skipIf(commands.length === 0)('tells of commands that there are, with flags that they have', async () => {
    const { stdout: all } = await runGantry(['help'])
    for (const words of commands) {
      const name = nameOf(words)
      expect(all, words.join(' ')).toMatch(new RegExp(`^ {2}${name[0]} `, 'm'))
      const end = words.includes('--') ? words.indexOf('--') : words.length
      for (const word of words.slice(0, end)) {
        const flag = /^--[a-z][a-z-]*/.exec(word)?.[0]
        if (!flag || shared.has(flag)) continue
        const help = await helpOf(name)
        if (!help.includes(flag)) expect(help, words.join(' ')).toContain(flag.replace(/^--no-/, '--'))
      }
    }
  })
})

test.each(pages)('%s has no commands in a block that nobody runs', (page) => {
  const text = readFileSync(join(root, page), 'utf8')
  const blocks = [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```/gm)]
  for (const [, language = '', block = ''] of blocks) {
    // A file is run by a command that stands in such a block; what programs say of themselves is shown.
    const isFile = /^(#|\/\/) [\w./-]+\.\w+$/.test(block.split('\n')[0] ?? '')
    if (['sh', 'console'].includes(language) || isFile || block.startsWith('Usage: ')) continue
    expect(block).not.toMatch(/^(\$ |(bin\/)?gantry |kubectl |npm |npx )/m)
  }
})

const why = withoutContainers()

// Page after page on one machine, by a reader who begins with the README.
describe.skipIf(why)(`a reader who does what the pages say${why ? ` (${why})` : ''}`, () => {
  let reader: Reader
  beforeAll(() => {
    reader = newReader()
  })
  afterAll(() => reader?.leave(), 120_000)

  test.each(pages)(
    'sees in %s what it shows',
    async (page) => {
      const steps = readPage(readFileSync(join(root, page), 'utf8'))
      const commands = steps.filter((step) => step.kind === 'command')
      if (commands.length === 0) return
      if (page !== 'README.md') await reader.open(page.replace(/\W+/g, '-').toLowerCase())
      const startedAt = performance.now()
      const failures: string[] = []
      for (const step of steps) {
        if (step.kind === 'command' && step.notRun) continue
        await reader.follow(step).catch((error: Error) => {
          failures.push(`${page}:${'line' in step ? step.line : ''}: ${error.message}`)
        })
      }
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      const reasons = [...new Set(commands.flatMap(({ notRun }) => notRun ?? []))]
      const skipped = commands.filter(({ notRun }) => notRun).length
      process.stdout.write(
        `${page}: ${commands.length - skipped} commands run in ${seconds} s, ${skipped} not${reasons.map((reason) => `\n  not run: ${reason}`).join('')}\n`,
      )
      expect(failures.join('\n\n')).toBe('')
    },
    300_000,
  )
})
