// Starts a bundle with the code V8 made of it at build time. In a checkout that has not been built yet, says what to do.
// A CommonJS file of its own: processes that gantry starts begin here, and spare the memory of the module loader.
const { existsSync, readFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { dirname, join } = require('node:path')
const { Script } = require('node:vm')

const dist = join(__dirname, '../dist')
const command = process.argv[2] ?? ''
// What runs for long has a bundle of its own, and so have the verbs; all the rest is in one.
const has = (name) => existsSync(join(dist, `${name}.cjs`))
if (!has('gantry')) {
  process.stderr.write('gantry: not built yet. Run `npm run build` in the checkout first, or `npm start`.\n')
  process.exit(1)
}
if (/^[a-z-]+$/.test(command) && command !== 'gantry' && command !== 'cli' && has(command)) start(command)
else if (!start('cli').isVerb) start('gantry')

/** Runs a bundle; returns what it exports. */
function start(name) {
  const path = join(dist, `${name}.cjs`)
  const cache = `${path}.cache`
  // Made by another version of Node, the cache is ignored. The bundle is ASCII.
  const script = new Script(readFileSync(path, 'latin1'), {
    filename: path,
    ...(existsSync(cache) ? { cachedData: readFileSync(cache) } : {}),
  })
  const bundle = { exports: {} }
  script.runInThisContext()(bundle.exports, createRequire(path), bundle, path, dirname(path))
  return bundle.exports
}
