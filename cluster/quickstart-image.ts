import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownFile } from './gantry-program.ts'
import { buildNodeImage } from './image/node-image.ts'
import { openTargets } from './image/targets.ts'
import type { Layout } from './layout.ts'
import type { Settings } from './settings.ts'

/** The second is there to roll out to. */
const versions = ['1', '2']

/**
 * Sees to it that every node has the images of manifests/quickstart: this machine's own Node and the application, once a
 * version. Resolves to whether any had to be made.
 */
export async function ensureQuickstartImages(layout: Layout, settings: Settings): Promise<boolean> {
  // Nothing runs in a hollow container.
  if (settings.runtime === 'hollow') return false
  const app = ownFile('manifests/quickstart/app')
  const made = createHash('sha256')
    .update(`${process.version}\n`)
    .update(readFileSync(join(app, 'server.mjs')))
    .digest('hex')
  const stamp = (node: string) => join(layout.node(node), 'quickstart-image')
  const targets = await openTargets(layout, settings)
  try {
    const missing = targets.filter(({ node }) => !existsSync(stamp(node)) || readFileSync(stamp(node), 'utf8') !== made)
    if (missing.length === 0) return false
    const cacheDir = join(layout.dataDir, 'images')
    mkdirSync(cacheDir, { recursive: true })
    for (const version of versions) {
      const image = await buildNodeImage({
        name: `gantry.local/hello:${version}`,
        app,
        command: ['server.mjs'],
        env: [`VERSION=${version}`],
        ports: [8080],
        cacheDir,
        withoutNode: settings.runtime === 'process',
      })
      for (const target of missing) await target.load(image)
    }
    for (const { node } of missing) writeFileSync(stamp(node), made)
    return true
  } finally {
    for (const target of targets) target.close()
  }
}
