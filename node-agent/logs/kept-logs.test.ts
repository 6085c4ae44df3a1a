import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../client/logger.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { KeptLogs } from './kept-logs.ts'

const hour = 3_600_000
let home: string
let clock: FakeClock
const open = (maxBytes?: number) =>
  new KeptLogs({
    directory: join(home, 'kept'),
    clock,
    log: silentLogger,
    ...(maxBytes === undefined ? {} : { maxBytes }),
  })

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gantry-kept-'))
  clock = new FakeClock()
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

/** The log directory of a pod with runs of one container, and what the pod says of itself. */
function pod(name: string, { keep = '2h', runs = ['first\n'] }: { keep?: string; runs?: string[] } = {}) {
  const directory = join(home, 'logs', name)
  mkdirSync(join(directory, 'main'), { recursive: true })
  for (const [i, text] of runs.entries()) writeFileSync(join(directory, 'main', `${i}.log`), text)
  const annotations = keep === '' ? {} : { 'gantry.dev/keep-logs': keep }
  return { metadata: { name, namespace: 'default', uid: `uid-${name}`, annotations }, directory }
}

async function remove(kept: KeptLogs, ...pods: ReturnType<typeof pod>[]): Promise<void> {
  for (const { metadata, directory } of pods) {
    await kept.takeOver(metadata, directory)
    await clock.advance(1000)
  }
}

const names = async (kept: KeptLogs, namespace = 'default') => (await kept.list(namespace)).map(({ name }) => name)

describe('the logs of a deleted pod', () => {
  it('stay as long as it asked for, and across a restart of the agent', async () => {
    await remove(open(), pod('web', { runs: ['first\n', 'second\n'] }))
    const kept = open()
    const [found] = await kept.list('default')
    expect(found).toMatchObject({
      name: 'web',
      uid: 'uid-web',
      containers: ['main'],
      until: '2026-01-01T02:00:00.000Z',
    })
    expect(readFileSync((await kept.file(found!, 'main', false)) as string, 'utf8')).toBe('second\n')
    expect(readFileSync((await kept.file(found!, 'main', true)) as string, 'utf8')).toBe('first\n')
    expect(await kept.file(found!, 'other', false)).toBeUndefined()
    expect(await names(kept, 'elsewhere')).toEqual([])
    await clock.advance(2 * hour)
    expect(await names(kept)).toEqual([])
    await kept.prune()
    expect(existsSync(join(home, 'kept', 'uid-web'))).toBe(false)
  })

  it('go with it when it did not ask', async () => {
    const web = pod('web', { keep: '' })
    await remove(open(), web)
    expect(existsSync(web.directory)).toBe(false)
    expect(await names(open())).toEqual([])
  })

  it('are nothing for a pod that never wrote any', async () => {
    const web = pod('web')
    rmSync(web.directory, { recursive: true })
    await remove(open(), web)
    expect(await names(open())).toEqual([])
  })

  it('make room for newer ones', async () => {
    const runs = ['x'.repeat(100_000)]
    const kept = open(250_000)
    await remove(kept, pod('one', { runs }), pod('two', { runs }), pod('three', { runs }))
    expect(await names(kept)).toEqual(['three', 'two'])
  })

  it('are cleared away when the agent was cut off while it took them over', async () => {
    mkdirSync(join(home, 'kept', 'half', 'logs'), { recursive: true })
    writeFileSync(join(home, 'kept', 'half', 'pod.json'), '{"name":')
    const kept = open()
    expect(await names(kept)).toEqual([])
    await kept.prune()
    expect(existsSync(join(home, 'kept', 'half'))).toBe(false)
  })
})
