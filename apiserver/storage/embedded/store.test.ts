import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeStore, type Subject } from '../contract.ts'
import { openEmbedded } from './store.ts'

describeStore(
  'the embedded store',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gantry-store-'))
    const subject: Subject = {
      store: await openEmbedded({ directory }),
      async reopen() {
        await subject.store.close()
        subject.store = await openEmbedded({ directory })
        return subject.store
      },
      async destroy() {
        await subject.store.close()
        rmSync(directory, { recursive: true, force: true })
      },
    }
    return subject
  },
  { modelRuns: 40, expirySlackMs: 3000 },
)
