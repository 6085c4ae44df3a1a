import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { CriLogWriter } from './log-writer.ts'

const entry = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) ([FP]) (.*)$/s

/** What comes out of the log again. */
const textOf = (log: string, stream: string): string =>
  log
    .split('\n')
    .slice(0, -1)
    .map((line) => entry.exec(line) ?? ['', '', '', line])
    .filter(([, from]) => from === stream)
    .map(([, , tag, text]) => (tag === 'F' ? `${text}\n` : text))
    .join('')

it('writes whole lines, however they come in', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-writer-'))
  const word = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constant('x'.repeat(40_000)))
  let count = 0
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('stdout', 'stderr'), word, fc.boolean()), { maxLength: 30 }),
      (pieces) => {
        const path = join(directory, `${count++}.log`)
        const writer = new CriLogWriter(path)
        const expected = { stdout: '', stderr: '' }
        for (const [stream, text, ends] of pieces as ['stdout' | 'stderr', string, boolean][]) {
          const piece = ends ? `${text}\n` : text
          expected[stream] += piece
          writer.write(stream, Buffer.from(piece))
        }
        writer.endLines()
        writer.close()
        const log = readFileSync(path, 'utf8')
        for (const stream of ['stdout', 'stderr'] as const) {
          const whole = Buffer.from(expected[stream]).toString()
          expect(textOf(log, stream)).toBe(whole === '' || whole.endsWith('\n') ? whole : `${whole}\n`)
        }
      },
    ),
    { numRuns: 50 },
  )
  rmSync(directory, { recursive: true })
})

it('goes on in a new file when the old one has been renamed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-writer-'))
  const path = join(directory, 'deep/0.log')
  const writer = new CriLogWriter(path)
  writer.write('stdout', Buffer.from('one\ntw'))
  renameSync(path, `${path}.1`)
  writer.reopen()
  writer.write('stdout', Buffer.from('o\n'))
  writer.close()
  expect(textOf(readFileSync(`${path}.1`, 'utf8'), 'stdout')).toBe('one\n')
  expect(textOf(readFileSync(path, 'utf8'), 'stdout')).toBe('two\n')
  rmSync(directory, { recursive: true })
})
