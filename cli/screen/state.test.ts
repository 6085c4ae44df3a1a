import { describe, expect, test } from 'vitest'
import type { ServedKind } from '../kinds.ts'
import type { NamedObject } from '../objects.ts'
import type { World } from '../overview/overview.ts'
import { draw, roomFor } from './draw.ts'
import { begin, listOf, onKey, type State } from './state.ts'

const nowMs = Date.parse('2026-01-01T00:01:00Z')
const pod = (name: string, phase: string) => ({
  kind: { kind: 'Pod', group: '', plural: 'pods' } as ServedKind,
  object: {
    metadata: { name, namespace: 'a', uid: name, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'i' }] },
    status: { phase, containerStatuses: [{ name: 'main', ready: phase === 'Running', state: { running: {} } }] },
  } as unknown as NamedObject,
})
const world: World = {
  nodes: [],
  pods: [pod('web-1', 'Running'), pod('web-2', 'Pending'), pod('db', 'Running')],
  workloads: [],
  claims: [],
  events: [],
}
const size = { columns: 60, rows: 10 }

/** The state after some keys, and what they asked for last. */
function typed(keys: readonly string[], from: State = begin) {
  let last: ReturnType<typeof onKey> = { state: from }
  for (const key of keys) {
    const { rows } = listOf(last.state, world, nowMs)
    last = onKey(last.state, key, { rows, height: roomFor(size) })
  }
  return last
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken away
const plain = (lines: readonly string[]) => lines.map((line) => line.replace(/\u001b\[\d+m/g, '').trimEnd())

describe('the screen', () => {
  test('begins with what is not as it should be', () => {
    expect(plain(draw(begin, world, size, nowMs, 'https://c:1'))).toEqual([
      'c:1   nodes 0/0   pods 2/3   1 not as they should be',
      ' 1 overview  2 workloads  3 pods  4 nodes  5 warnings',
      'NOT AS IT SHOULD BE   STATE         WHY',
      'a/pod/web-2           Pending 0/1',
      ...['', '', '', '', ''],
      'q quit  ↑↓ choose  tab view  enter describe  l logs  e exec',
    ])
  })

  test.each([
    ['3', 'pods'],
    ['\t', 'workloads'],
    ['5', 'warnings'],
  ])('goes to another view by %j', (key, view) => {
    expect(typed([key]).state.view).toBe(view)
  })

  test.each([
    ['down and describe', ['3', 'j', '\r'], { do: 'describe', name: 'web-2' }],
    ['down, up and logs', ['3', '\u001b[B', '\u001b[A', 'l'], { do: 'logs', name: 'web-1' }],
    ['no further than there is', ['3', 'j', 'j', 'j', 'j', 'e'], { do: 'exec', name: 'db' }],
    ['what the filter leaves', ['3', '/', 'd', 'b', '\r', 'd'], { do: 'describe', name: 'db' }],
    ['quit', ['q'], { do: 'quit' }],
    ['quit by Ctrl-C while typing', ['/', '\u0003'], { do: 'quit' }],
  ])('understands %s', (_name, keys, { do: what, name }: { do: string; name?: string }) => {
    const { action } = typed(keys)
    expect(action?.do).toBe(what)
    if (name) expect(action && 'subject' in action && action.subject.object.metadata.name).toBe(name)
  })

  test('does nothing with a key where there is nothing to choose', () => {
    expect(typed(['4', 'd']).action).toBeUndefined()
    expect(plain(draw(typed(['4']).state, world, size, nowMs, 's'))[2]).toBe('There is nothing here.')
  })

  test('shows a page over it, which scrolls, follows its end and closes', () => {
    const lines = Array.from({ length: 20 }, (_, i) => `line ${i}`)
    const open: State = { ...begin, page: { title: 'log', lines, from: undefined } }
    const shown = (state: State) => plain(draw(state, world, size, nowMs, 's')).slice(2, 8)
    expect(shown(open)[5]).toBe('line 19')
    const up = typed(['k'], open).state
    expect(shown(up)[5]).toBe('line 18')
    expect(shown(typed(['g'], up).state)[0]).toBe('line 0')
    expect(typed(['j'], up).state.page?.from).toBeUndefined()
    const closed = typed(['\u001b'], up)
    expect(closed).toMatchObject({ state: { page: undefined }, action: { do: 'close' } })
  })

  test('is never wider than the terminal', () => {
    const narrow = draw(typed(['3']).state, world, { columns: 20, rows: 10 }, nowMs, 'https://server:6443')
    expect(Math.max(...plain(narrow).map((line) => line.length))).toBeLessThanOrEqual(20)
  })
})
