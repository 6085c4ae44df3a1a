// Bundles bin/gantry's commands into one file, dist/gantry.cjs, with the code that V8 makes of it beside: most of a start
// would be spent compiling. What is rarely asked for (OpenAPI prose, etcd, making certificates) runs only when it is.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
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
  const hash = fingerprint([...sources, 'bin', 'scripts', 'package-lock.json'])
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return false
  mkdirSync(join(root, 'dist'), { recursive: true })
  const work = mkdtempSync(join(root, 'dist/.new-'))
  try {
    await bundle(work)
    if (!(await compile(work))) log('could not try the server out: its first starts will be slower')
    // The code V8 made of the old bundle goes first: it must never be taken for the new one's.
    rmSync(join(root, 'dist/gantry.cjs.cache'), { force: true })
    for (const name of readdirSync(work).sort()) renameSync(join(work, name), join(root, 'dist', name))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  writeFileSync(stamp, hash)
  return true
}

async function bundle(outdir) {
  const { build: esbuild } = await import('esbuild')
  await esbuild({
    entryPoints: { gantry: join(root, 'cluster/main.ts') },
    outdir,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    outExtension: { '.js': '.cjs' },
    // Binary modules, and those that read files beside themselves, stay where they are.
    external: ['lmdb', 'etcd3', '@grpc/grpc-js'],
    plugins: [jsonAsText, jsonBeside(outdir), withoutExpressExtras],
    // What bin/gantry calls: the function that Node would put around a CommonJS module.
    banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
    footer: { js: '})' },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
  })
  // One letter beyond ASCII and V8 keeps the whole text in twice the memory. The bundler leaves those in patterns alone.
  const path = join(outdir, 'gantry.cjs')
  const escaped = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
  writeFileSync(path, readFileSync(path, 'utf8').replace(/[\u0080-\uffff]/g, escaped))
}

/**
 * Runs the bundle once, until it serves, and keeps what V8 has compiled by then. Resolves to false when it does not come
 * to serve; a start without that code only takes longer.
 */
function compile(outdir) {
  const data = mkdtempSync(join(tmpdir(), 'gantry-compile-'))
  const path = join(outdir, 'gantry.cjs')
  // V8 takes compiled code back only under the flags it was made with: those of bin/gantry's first line.
  const flags = readFileSync(join(root, 'bin/gantry'), 'utf8')
    .split('\n', 1)[0]
    .split(' ')
    .filter((word) => word.startsWith('--'))
  const child = spawn(process.execPath, [...flags, join(root, 'scripts/compile.mjs'), path, data], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  let said = ''
  child.stdout.on('data', (chunk) => {
    if (said.includes('"serving"')) return
    said += chunk
    if (said.includes('"serving"') && child.connected) child.send('keep')
  })
  return new Promise((resolve) => {
    child.once('exit', () => {
      clearTimeout(timer)
      rmSync(data, { recursive: true, force: true })
      resolve(existsSync(`${path}.cache`))
    })
  })
}

/** JSON is parsed ten times faster as JSON than as code, and only when its module is first used. */
const jsonAsText = {
  name: 'json-as-text',
  setup({ onLoad }) {
    onLoad({ filter: /generated\/schemas\.json$/ }, ({ path }) => ({
      contents: `module.exports = JSON.parse(${JSON.stringify(readFileSync(path, 'utf8'))})`,
      loader: 'js',
    }))
  },
}

/** Prose that few ask for lies beside the bundle, so that it is in nobody's memory before. */
const jsonBeside = (outdir) => ({
  name: 'json-beside',
  setup({ onLoad }) {
    onLoad({ filter: /generated\/descriptions\.json$/ }, ({ path }) => {
      const name = basename(path)
      copyFileSync(path, join(outdir, name))
      return {
        contents: `module.exports = JSON.parse(require('node:fs').readFileSync(__dirname + ${JSON.stringify(`/${name}`)}, 'utf8'))`,
        loader: 'js',
      }
    })
  },
})

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
