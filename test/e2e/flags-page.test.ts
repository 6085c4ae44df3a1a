import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { flagsPage } from '../support/flags-page.ts'

// `npm run docs` writes the page; where it is to be checked, one that has become old fails.
test('docs/flags.md tells of every flag there is', async () => {
  const path = fileURLToPath(new URL('../../docs/flags.md', import.meta.url))
  await expect(await flagsPage()).toMatchFileSnapshot(path)
})
