// Bundles bin/gantry's commands into dist/. ES modules with splitting: a command loads only what it uses, and what is
// rarely asked for (OpenAPI prose, etcd, making certificates) stays out of the start.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = [
  'api',
  'apiserver',
  'client',
  'cli',
  'cluster',
  'controller-manager',
  'dashboard',
  'node-agent',
  'scheduler',
]

/** Builds what has changed since the last time. Returns whether anything had. */
export async function build({ log = () => {} } = {}) {
  if (await generate(log)) log('generated the schemas of the built-in kinds')
  const stamp = join(root, 'dist/.stamp')
  const hash = fingerprint([...sources, 'scripts', 'package-lock.json'])
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return false
  const { build: bundle } = await import('esbuild')
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  await bundle({
    entryPoints: { gantry: join(root, 'cluster/main.ts') },
    outdir: join(root, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    // Binary modules, and those that read files beside themselves, stay where they are.
    external: ['lmdb', 'etcd3', '@grpc/grpc-js'],
    // CommonJS inside asks for require.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    legalComments: 'none',
    logLevel: 'warning',
  })
  writeFileSync(stamp, hash)
  return true
}

/** Makes api/generated/ when what it is made from has changed. */
async function generate(log) {
  const stamp = join(root, 'api/generated/.stamp')
  const hash = fingerprint(['api/schema/facts.ts', 'scripts/generate-schemas.mjs', 'package-lock.json'])
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return false
  log('generating the schemas of the built-in kinds')
  await import('./generate-schemas.mjs')
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, hash)
  return true
}

function fingerprint(paths) {
  const hash = createHash('sha256')
  const visit = (path) => {
    const full = join(root, path)
    if (!existsSync(full)) return
    if (statSync(full).isDirectory()) {
      for (const name of readdirSync(full).sort()) if (name !== '.stamp') visit(join(path, name))
    } else if (!path.endsWith('.test.ts')) {
      hash.update(path).update('\0').update(readFileSync(full))
    }
  }
  for (const path of paths) visit(path)
  return hash.digest('hex')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build({ log: (line) => console.log(line) })
