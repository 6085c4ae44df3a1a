// Runs a fresh bundle as bin/gantry would and, told to keep or at its end, writes what V8 has compiled of it by then:
// `compile.mjs BUNDLE COMMAND FLAGS…`. Only build.mjs calls it.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Script } from 'node:vm'

const [node, self, path, ...rest] = process.argv
const script = new Script(readFileSync(path, 'latin1'), { filename: path })
const keep = () => {
  writeFileSync(`${path}.cache`, script.createCachedData())
  process.exit()
}
process.once('message', keep).once('beforeExit', keep)
// Listening must not keep a program that has done its work.
process.channel?.unref()
process.argv = [node, self, ...rest]
const module = { exports: {} }
script.runInThisContext()(module.exports, createRequire(path), module, path, dirname(path))
