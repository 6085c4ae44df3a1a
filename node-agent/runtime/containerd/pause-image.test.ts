import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ownPlatform } from '../../images/oci/image.ts'
import { chainIds } from './import.ts'
import { pauseImage, pauseProgram } from './pause-image.ts'

it('is a few hundred bytes, and always the same', async () => {
  const [one, two] = await Promise.all([pauseImage('amd64'), pauseImage('amd64')])
  expect(one.manifest.descriptor.digest).toBe(two.manifest.descriptor.digest)
  expect(pauseProgram('amd64').length).toBeLessThan(256)
  expect(pauseProgram('arm64').length).toBeLessThan(256)
})

it('says for which processors there is none', () => {
  expect(() => pauseProgram('s390x')).toThrow('there is no pause program for s390x: set a sandbox image')
})

it.runIf(process.platform === 'linux')('sleeps, and lets its children be buried', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-pause-'))
  const path = join(directory, 'pause')
  writeFileSync(path, pauseProgram(ownPlatform().architecture))
  chmodSync(path, 0o755)
  const child = spawn(path)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  expect(status).toMatch(/State:\s+S/)
  // Bit 17, counted from one, is SIGCHLD.
  const ignored = BigInt(`0x${/SigIgn:\s+([0-9a-f]+)/.exec(status)?.[1]}`)
  expect((ignored >> 16n) & 1n).toBe(1n)
  const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)))
  child.kill('SIGKILL')
  expect(await ended).toBe('SIGKILL')
  rmSync(directory, { recursive: true })
})

it('names stacks of layers as OCI does', () => {
  const [a, b] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`]
  expect(chainIds([])).toEqual([])
  expect(chainIds([a])).toEqual([a])
  const [first, second] = chainIds([a, b])
  expect(first).toBe(a)
  expect(second).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect(second).not.toBe(chainIds([b, a])[1])
})
