// Bundles what bin/gantry starts into files of dist/, with the code that V8 makes of each beside: most of a start would
// be spent compiling. Whatever runs for long has a file of its own and so nothing of the others in its memory; all other
// commands share gantry.cjs, but for the verbs, which are waited for: cli.cjs. What is rarely asked for (OpenAPI prose, etcd, making certificates) runs only when it is.

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
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildPage } from './build-page.mjs'

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
    await Promise.all([bundle(work), buildPage(join(work, 'ui'))])
    await library(work)
    const late = await compile(work)
    if (late.length > 0) log(`could not try out ${late.join(', ')}: starts will be slower`)
    // The code V8 made of the old bundles goes first: it must never be taken for the new ones'. So does the old page.
    for (const name of readdirSync(join(root, 'dist'))) {
      if (name.endsWith('.cache') || name === 'ui') rmSync(join(root, 'dist', name), { recursive: true, force: true })
    }
    for (const name of readdirSync(work).sort()) renameSync(join(work, name), join(root, 'dist', name))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  writeFileSync(stamp, hash)
  return true
}

/** Commands that run for long, or are waited for: where they are written, and the function that runs them. */
const programs = {
  apiserver: ['apiserver/main.ts', 'runApiServer'],
  scheduler: ['scheduler/main.ts', 'runScheduler'],
  'controller-manager': ['controller-manager/main.ts', 'runControllerManager'],
  'node-agent': ['node-agent/main.ts', 'runNodeAgent'],
  up: ['cluster/up.ts', 'up'],
  greet: ['cluster/greet.ts', 'greet'],
  credentials: ['cluster/credentials.ts', 'credentials'],
  cli: ['cli/main.ts', 'runIfVerb'],
}
for (const [name, [file]] of Object.entries(programs)) if (!existsSync(join(root, file))) delete programs[name]

async function bundle(outdir) {
  const { build: esbuild } = await import('esbuild')
  await esbuild({
    entryPoints: {
      gantry: join(root, 'cluster/main.ts'),
      ...Object.fromEntries(Object.keys(programs).map((name) => [name, `program:${name}`])),
    },
    outdir,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // A bundle is run as a script: what it imports late, it requires.
    supported: { 'dynamic-import': false },
    outExtension: { '.js': '.cjs' },
    // Binary modules, and those that read files beside themselves, stay where they are.
    external: ['lmdb', 'etcd3', '@grpc/grpc-js', '@grpc/proto-loader'],
    // Its ES module asks for its own address, which a bundle has not.
    alias: { 'node-cron': join(root, 'node_modules/node-cron/dist/node-cron.cjs') },
    plugins: [programEntries, rawText, jsonAsText, jsonBeside(outdir), withoutExpressExtras],
    // What bin/gantry calls: the function that Node would put around a CommonJS module.
    banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
    footer: { js: '})' },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
  })
  // One letter beyond ASCII and V8 keeps the whole text in twice the memory. The bundler leaves those in patterns alone.
  const escaped = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
  for (const name of readdirSync(outdir).filter((file) => file.endsWith('.cjs'))) {
    const path = join(outdir, name)
    writeFileSync(path, readFileSync(path, 'utf8').replace(/[\u0080-\uffff]/g, escaped))
  }
}

/** gantry/testing: a control plane to be started within another program, loaded the ordinary way. */
async function library(outdir) {
  const { build: esbuild } = await import('esbuild')
  await esbuild({
    entryPoints: { testing: join(root, 'cluster/testing/index.ts') },
    outdir,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    outExtension: { '.js': '.cjs' },
    external: ['lmdb', 'etcd3', '@grpc/grpc-js', '@grpc/proto-loader'],
    alias: { 'node-cron': join(root, 'node_modules/node-cron/dist/node-cron.cjs') },
    plugins: [rawText, jsonAsText, jsonBeside(outdir), withoutExpressExtras],
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
  })
  copyFileSync(join(root, 'cluster/testing/types.d.ts'), join(outdir, 'testing.d.ts'))
}

/** A program's file runs its function; in gantry.cjs, which is not asked for it, there is nothing of it. */
const programEntries = {
  name: 'program-entries',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^program:/ }, ({ path }) => ({ path: path.slice('program:'.length), namespace: 'program' }))
    onLoad({ filter: /.*/, namespace: 'program' }, ({ path: name }) => {
      const [file, run] = programs[name]
      return {
        contents:
          name === 'cli'
            ? `import { ${run} as run } from './${file}'
          import { exitWith } from './cluster/exit.ts'
          const ending = run(process.argv.slice(2))
          if (ending) exitWith(ending)
          export const isVerb = ending !== undefined`
            : `import { ${run} as run } from './${file}'
          import { exitWith } from './cluster/exit.ts'
          exitWith(run(process.argv.slice(3)))`,
        resolveDir: root,
        loader: 'ts',
      }
    })
    onResolve({ filter: /\/(main|up|credentials|run-verb)\.ts$/ }, ({ path, importer }) => {
      if (importer !== join(root, 'cluster/main.ts')) return undefined
      const file = relative(root, resolve(dirname(importer), path))
      if (file === 'cli/run-verb.ts') return { path, namespace: 'unused' }
      return Object.values(programs).some(([own]) => own === file) ? { path, namespace: 'unused' } : undefined
    })
  },
}

/**
 * Runs what has been bundled once, the API server first and the others against it, and keeps what V8 has compiled of each
 * by the time it is ready. Resolves to the names of those that did not come up; a start without that code only takes
 * longer.
 */
async function compile(outdir) {
  const data = mkdtempSync(join(tmpdir(), 'gantry-compile-'))
  const late = []
  const end = async (name, child) => {
    if (child && !(await child.keep())) late.push(name)
  }
  try {
    const server = 'https://127.0.0.1:6443'
    const wanted = {
      server,
      nodeServer: server,
      sans: ['127.0.0.1'],
      nodes: [{ name: 'compile', sans: ['127.0.0.1'] }],
    }
    const made = await tryOut(outdir, 'credentials', [`--data-dir=${data}`, `--want=${JSON.stringify(wanted)}`])
    if (!(await made?.keep()) && !existsSync(join(outdir, 'credentials.cjs.cache'))) late.push('credentials')
    const api = await tryOut(outdir, 'apiserver', ['--secure-port=0', '--bind-address=127.0.0.1', `--data-dir=${data}`])
    const kubeconfig = `--kubeconfig=${join(data, 'kubeconfig')}`
    const others = api
      ? {
          scheduler: [kubeconfig, '--leader-elect=false', '--secure-port=0'],
          'controller-manager': [kubeconfig, '--leader-elect=false', '--secure-port=0'],
          'node-agent': [
            kubeconfig,
            '--runtime=hollow',
            '--hostname-override=compile',
            `--root-dir=${join(data, 'node')}`,
          ],
          cli: ['namespaces', kubeconfig],
        }
      : {}
    await Promise.all(
      Object.entries(others)
        .filter(([name]) => programs[name])
        .map(async ([name, args]) => end(name, await tryOut(outdir, name, args, name === 'cli' ? 'get' : name))),
    )
    await end('apiserver', api)
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
  return late
}

/** Starts a bundle; resolves when it says that it is ready, or to undefined when it does not. A verb says what it shows. */
function tryOut(outdir, name, args, command = name) {
  // V8 takes compiled code back only under the flags it was made with.
  const known = JSON.parse(readFileSync(join(root, 'bin/node-flags.json'), 'utf8'))
  const flags = known[name] ?? known.apiserver
  const ready = name === 'cli' ? 1 : 3
  const path = join(outdir, `${name}.cjs`)
  const child = spawn(process.execPath, [...flags, join(root, 'scripts/compile.mjs'), path, command, ...args], {
    stdio: ['ignore', ready === 1 ? 'pipe' : 'ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, GANTRY_READY_FD: '3' },
  })
  const exited = new Promise((done) => child.once('exit', done))
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  void exited.then(() => clearTimeout(timer))
  return new Promise((done) => {
    child.once('error', () => done(undefined))
    child.once('exit', () => done(undefined))
    child.stdio[3].on('error', () => {})
    child.stdio[ready].once('data', () =>
      done({
        async keep() {
          if (child.connected) child.send('keep')
          await exited
          return existsSync(`${path}.cache`)
        },
      }),
    )
  })
}

/** `import text from './file?raw'`: the file's text, as the test runner has it too. */
const rawText = {
  name: 'raw-text',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.slice(0, -'?raw'.length)),
      namespace: 'raw',
    }))
    onLoad({ filter: /.*/, namespace: 'raw' }, ({ path }) => ({ contents: readFileSync(path, 'utf8'), loader: 'text' }))
  },
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
    // Commands that are programs of their own, which it would start: there are none, and loading this takes a while.
    onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) =>
      /node_modules\/commander\//.test(importer) ? { path, namespace: 'unused' } : undefined,
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
