// Bundles bin/gantry's commands into one file, dist/gantry.cjs, with the code that V8 makes of it beside: most of a start
// would be spent compiling. What is rarely asked for (OpenAPI prose, etcd, making certificates) runs only when it is.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'

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
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    outExtension: { '.js': '.cjs' },
    // Binary modules, and those that read files beside themselves, stay where they are.
    external: ['lmdb', 'etcd3', '@grpc/grpc-js'],
    plugins: [jsonAsText, withoutExpressExtras],
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
  })
  keepCompiled()
  writeFileSync(stamp, hash)
  return true
}

/** JSON is parsed ten times faster as JSON than as code, and only when its module is first used. */
const jsonAsText = {
  name: 'json-as-text',
  setup({ onLoad }) {
    onLoad({ filter: /generated\/.*\.json$/ }, ({ path }) => ({
      contents: `module.exports = JSON.parse(${JSON.stringify(readFileSync(path, 'utf8'))})`,
      loader: 'js',
    }))
  },
}

/** Express brings body parsers and file serving along, a third of the bundle. The API server uses neither. */
const withoutExpressExtras = {
  name: 'without-express-extras',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(body-parser|serve-static|send)$/ }, ({ path, importer }) =>
      /node_modules\/express\//.test(importer) ? { path, namespace: 'unused' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/** Keeps what V8 makes of the bundle, so that a start does not compile it again. */
function keepCompiled() {
  const path = join(root, 'dist/gantry.cjs')
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) {${readFileSync(path, 'utf8')}\n})`,
    {
      filename: path,
    },
  )
  script.runInThisContext()
  writeFileSync(`${path}.cache`, script.createCachedData())
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
