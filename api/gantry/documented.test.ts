import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const rooms = [
  'api',
  'apiserver',
  'cli',
  'client',
  'cluster',
  'controller-manager',
  'dashboard',
  'node-agent',
  'scheduler',
]

// Names of resources stand there too, with what comes after a slash: they are no annotations.
const quoted = /['`]((?:[a-z]+\.)?gantry\.dev\/[A-Za-z-]+)['`]/g

test('docs/annotations.md tells of every name under gantry.dev/ that stands in the code', () => {
  const page = readFileSync(join(root, 'docs/annotations.md'), 'utf8')
  const files = rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name) && !name.startsWith('generated'))
      .map((name) => join(root, room, name)),
  )
  const names = new Set(
    files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(quoted)].map(([, name = '']) => name)),
  )
  expect(names.size).toBeGreaterThan(20)
  const missing = [...names].filter((name) => !name.endsWith('/v1') && !new RegExp(`${name}(?![\\w-])`).test(page))
  expect(missing).toEqual([])
})
