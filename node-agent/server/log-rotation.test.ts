import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../client/logger.ts'
import { rotateLogs } from './log-rotation.ts'

describe('rotating logs', () => {
  let directory: string
  let logPath: string
  let reopened: number
  let refusing: boolean
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-rotation-'))
    logPath = join(directory, '0.log')
    reopened = 0
    refusing = false
  })
  afterEach(() => rmSync(directory, { recursive: true }))
  const rotate = () =>
    rotateLogs({
      log: silentLogger,
      maxBytes: 10,
      maxFiles: 3,
      cri: {
        listContainers: async () => [{ id: 'c' }] as never,
        containerStatus: async () => ({ status: { logPath } }) as never,
        reopenContainerLog: async () => {
          if (refusing) throw new Error('no')
          reopened++
          writeFileSync(logPath, 'new')
        },
      },
    })

  it('leaves short ones alone', async () => {
    writeFileSync(logPath, 'short')
    expect(await rotate()).toBe(0)
    expect(readdirSync(directory)).toEqual(['0.log'])
  })

  it('keeps the newest, the last as it was and those before it compressed', async () => {
    for (const time of ['20260101-000001', '20260101-000002', '20260101-000003']) {
      writeFileSync(`${logPath}.${time}`, `content of ${time}`)
    }
    writeFileSync(logPath, 'a long log indeed')
    expect(await rotate()).toBe(1)
    expect(reopened).toBe(1)
    const names = readdirSync(directory).sort()
    expect(names).toHaveLength(3)
    expect(names[0]).toBe('0.log')
    expect(names[1]).toBe('0.log.20260101-000003.gz')
    expect(gunzipSync(readFileSync(join(directory, names[1]!))).toString()).toBe('content of 20260101-000003')
    expect(readFileSync(join(directory, names[2]!), 'utf8')).toBe('a long log indeed')
  })

  it('gives the log its name back when the runtime does not reopen it', async () => {
    refusing = true
    writeFileSync(logPath, 'a long log indeed')
    expect(await rotate()).toBe(0)
    expect(readFileSync(logPath, 'utf8')).toBe('a long log indeed')
  })
})
