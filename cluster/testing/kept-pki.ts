import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensurePki } from '../../apiserver/pki/ensure.ts'

const user = process.getuid?.() ?? 0

/**
 * Puts certificates into `dir`: those that an earlier cluster of a test made and this user kept, as making them takes longer
 * than all else of a start. They are worth nothing beyond loopback and the length of a test.
 */
export async function copyKeptPki(dir: string): Promise<void> {
  const kept = join(tmpdir(), `gantry-testing-${user}`)
  const pki = join(kept, 'pki')
  mkdirSync(kept, { recursive: true, mode: 0o700 })
  const { uid, mode } = lstatSync(kept)
  // Somebody else's directory of that name: then everything is made anew, each time.
  if (uid !== user || (mode & 0o077) !== 0) return
  if (!existsSync(pki)) {
    const work = mkdtempSync(join(kept, 'new-'))
    await ensurePki(join(work, 'pki'), { sans: [], nowMs: Date.now() })
    // Whoever is first has made them for all.
    if (!existsSync(pki)) renameSync(join(work, 'pki'), pki)
    rmSync(work, { recursive: true, force: true })
  }
  cpSync(pki, dir, { recursive: true })
}
