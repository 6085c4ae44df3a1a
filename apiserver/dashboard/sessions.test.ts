import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEmbedded } from '../storage/embedded/store.ts'
import type { Store } from '../storage/store.ts'
import { createSessions } from './sessions.ts'

const directory = mkdtempSync(join(tmpdir(), 'gantry-sessions-'))
let store: Store
let nowMs = Date.parse('2026-01-01T00:00:00Z')
const minutes = (count: number) => count * 60_000
const jane = { name: 'jane', groups: ['dev', 'system:authenticated'] }

beforeAll(async () => {
  store = await openEmbedded({ directory })
})
afterAll(async () => {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

const sessions = () => createSessions(store, () => nowMs)
const userOf = async (token: string, of = sessions()) =>
  (await of.authenticator.authenticateToken(token, ['api']))?.user

test('a link lets one in, as whoever made it, once', async () => {
  const { secret } = await sessions().createLink(jane)
  const { secret: token } = await sessions().redeem(secret)
  expect(await userOf(token)).toMatchObject({ name: 'jane', groups: jane.groups })
  await expect(sessions().redeem(secret)).rejects.toThrow('has been used or is too old')
})

test('of two who come by one link at the same time, one is let in', async () => {
  const { secret } = await sessions().createLink(jane)
  const answers = await Promise.allSettled([sessions().redeem(secret), sessions().redeem(secret)])
  expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
})

test('links are good for two minutes, sessions for eight hours', async () => {
  const late = await sessions().createLink(jane)
  nowMs += minutes(2)
  await expect(sessions().redeem(late.secret)).rejects.toThrow('too old')
  const { secret: token } = await sessions().redeem((await sessions().createLink(jane)).secret)
  nowMs += minutes(8 * 60) - 1
  expect(await userOf(token)).toMatchObject({ name: 'jane' })
  nowMs += 1
  await expect(userOf(token)).rejects.toThrow('the session is over')
})

test('a session that was ended is nobody, on other servers within seconds', async () => {
  const { secret: token } = await sessions().redeem((await sessions().createLink(jane)).secret)
  const other = sessions()
  expect(await userOf(token, other)).toMatchObject({ name: 'jane' })
  const own = sessions()
  expect(await userOf(token, own)).toMatchObject({ name: 'jane' })
  await own.end(token)
  await expect(userOf(token, own)).rejects.toThrow('the session is over')
  nowMs += 5000
  await expect(userOf(token, other)).rejects.toThrow('the session is over')
})

test.each([
  ['nobody', 'system:anonymous', 'Unauthorized'],
  ['a service account', 'system:serviceaccount:default:robot', 'log in with one'],
])('there is no link for %s', async (_, name, message) => {
  await expect(sessions().createLink({ name, groups: [] })).rejects.toThrow(message)
})

test('a session cannot make links, and so not live for ever', async () => {
  const { secret: token } = await sessions().redeem((await sessions().createLink(jane)).secret)
  const user = await userOf(token)
  await expect(sessions().createLink(user ?? jane)).rejects.toThrow('a session makes no links')
})

test('tokens of other kinds are left to others', async () => {
  expect(await userOf('abcdef.0123456789abcdef')).toBeUndefined()
})

test('the store holds no secret', async () => {
  const { secret } = await sessions().createLink(jane)
  const { entries } = await store.list('/gantry.dev/')
  expect(entries.length).toBeGreaterThan(0)
  expect(entries.some(({ key, value }) => key.includes(secret) || value.toString().includes(secret))).toBe(false)
})
