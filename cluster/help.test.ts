import { expect, test } from 'vitest'
import { otherCommands } from '../cli/other-commands.ts'
import { verbs } from '../cli/verbs.ts'
import { commandList, noSuchCommand } from './help.ts'

const summary = 'does it'
const wordsOf = (text: string) => Array.from(text.matchAll(/^ {2}(\S+) +\S/gm), ([, word]) => word)

test('every verb has its place in the help, once', () => {
  const shown = Object.keys(verbs).filter((name) => !name.startsWith('_'))
  const all = [...shown, ...otherCommands.filter((name) => name !== 'help')]
  const text = commandList(Object.fromEntries(all.map((name) => [name, { summary }])))
  expect(wordsOf(text).sort()).toEqual([...new Set(all)].sort())
  expect(text).not.toContain('Others:')
})

test('what has no place is shown all the same, and what is only for programs is not', () => {
  const text = commandList({ up: { summary }, dance: { summary }, __complete: { summary } })
  expect(text).toMatch(/^A cluster on this machine:\n {2}up {10}does it\n/)
  expect(text).toMatch(/Others:\n {2}dance {7}does it\n$/)
  expect(text).not.toContain('__complete')
})

test('a word that is no command is told with the one that was meant', () => {
  const commands = ['get', 'status', 'rollout']
  const list = '\n`gantry help` lists all.\n'
  expect(noSuchCommand('stauts', commands)).toBe(
    `gantry: there is no command "stauts". Did you mean \`gantry status\`?${list}`,
  )
  expect(noSuchCommand('svc', commands)).toBe(
    `gantry: there is no command "svc". Did you mean \`gantry get svc\`?${list}`,
  )
  expect(noSuchCommand('Pods', commands)).toContain('Did you mean `gantry get Pods`?')
  expect(noSuchCommand('xylophone', commands)).toBe(`gantry: there is no command "xylophone"${list}`)
})
