import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type RunningServer, runServer } from '../testing/running-server.ts'
import { linesOf } from './watch-socket.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const bearer = (token: string) => `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`
let server: RunningServer

beforeAll(async () => {
  server = await runServer([], (directory) => {
    writeFileSync(join(directory, 'tokens.csv'), 'root-token,root,1,"system:masters"\nno-rights,jane,2\n')
    return [`--token-auth-file=${join(directory, 'tokens.csv')}`]
  })
})
afterAll(() => server?.stop())

interface Event {
  type: string
  object: { metadata: { name?: string; annotations?: Record<string, string> }; data?: Record<string, string> }
}

/** A page's watch: its events so far, and a promise of the next that is as wanted. */
function watch(query: string, token = 'root-token') {
  const client = new WebSocket(
    `${server.url.replace('https', 'wss')}${configMaps}?watch=true&${query}`,
    [bearer(token), 'json.k8s.io'],
    {
      ca: (server.nobody as { ca: Buffer }).ca,
    },
  )
  const events: Event[] = []
  const waiting = new Set<() => void>()
  client.on('message', (data, binary) => {
    expect(binary).toBe(false)
    events.push(JSON.parse(String(data)) as Event)
    for (const look of waiting) look()
  })
  const seen = (wanted: (event: Event) => boolean) =>
    new Promise<Event>((resolve) => {
      const look = () => {
        const found = events.find(wanted)
        if (!found) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  return { client, events, seen }
}

const named = (type: string, name: string) => (event: Event) =>
  event.type === type && event.object.metadata.name === name

describe('a watch over a WebSocket', () => {
  test('tells what there is, where that ends, and every change, an event a message', async () => {
    await server.create(configMaps, { metadata: { name: 'first' } })
    const { client, events, seen } = watch(
      'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan',
    )
    await seen(
      ({ type, object }) =>
        type === 'BOOKMARK' && object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true',
    )
    expect(events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`)).toContain('ADDED first')
    expect(client.protocol).toBe('json.k8s.io')
    await server.create(configMaps, { metadata: { name: 'second' } })
    await server.patch(`${configMaps}/second`, { data: { a: 'line\nline' } })
    expect((await seen(named('MODIFIED', 'second'))).object.data).toEqual({ a: 'line\nline' })
    client.close()
  })

  test('ends when its time is over', async () => {
    const { client } = watch('timeoutSeconds=1')
    const [code] = await new Promise<[number]>((resolve) => client.once('close', (reason) => resolve([reason])))
    expect(code).toBe(1000)
  })

  test('goes on when it is to last longer than a timer can', async () => {
    const { client, seen } = watch('timeoutSeconds=9999999')
    await new Promise((resolve) => client.once('open', resolve))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await server.create(configMaps, { metadata: { name: 'late' } })
    await seen(named('ADDED', 'late'))
    client.close()
  })

  test.each([
    ['who is not known', 'nonsense', 401],
    ['who may not watch', 'no-rights', 403],
  ])('is refused by a plain answer for %s', async (_, token, code) => {
    const { client } = watch('', token)
    const answer = await new Promise<number | undefined>((resolve) => {
      client.once('unexpected-response', (_request, response) => resolve(response.statusCode))
      client.once('error', () => {})
    })
    expect(answer).toBe(code)
    client.terminate()
  })
})

test('a chunk holds lines', () => {
  expect(linesOf(Buffer.from('9\r\n{"a":1}\n{}\n\r\n')).map(String)).toEqual(['{"a":1}', '{}'])
})
