// Runs the API server from a fresh bundle in a directory of its own and, told that it serves, writes what V8 has compiled
// of the bundle by then: `compile.mjs BUNDLE DATA-DIRECTORY`. Only build.mjs calls it.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Script } from 'node:vm'

const [path, data] = process.argv.slice(2)
const script = new Script(readFileSync(path, 'latin1'), { filename: path })
process.once('message', () => {
  writeFileSync(`${path}.cache`, script.createCachedData())
  process.exit()
})
process.argv = [
  ...process.argv.slice(0, 2),
  'apiserver',
  '--secure-port=0',
  '--bind-address=127.0.0.1',
  `--data-dir=${data}`,
]
const module = { exports: {} }
script.runInThisContext()(module.exports, createRequire(path), module, path, dirname(path))
