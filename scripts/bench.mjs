// Runs a benchmark: `bench.mjs NAME [flags]` bundles bench/NAME.ts or bench/NAME/run.ts (and the main.ts beside it, which
// runs in a process of its own) into .cache/bench/ and starts it.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as bundle } from 'esbuild'
import { build } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const [name = '', ...flags] = process.argv.slice(2)
const names = readdirSync(join(root, 'bench')).map((entry) => entry.replace(/\.ts$/, ''))
if (!names.includes(name)) {
  process.stderr.write(`Usage: node scripts/bench.mjs ${names.join('|')} [flags]\n`)
  process.exit(2)
}
await build({ log: (line) => process.stderr.write(`${line}\n`) })
const folder = join(root, 'bench', name)
const entries = existsSync(folder)
  ? { run: join(folder, 'run.ts'), main: join(folder, 'main.ts') }
  : { run: `${folder}.ts` }
// Two levels below the root, as the sources are: what they find relative to themselves is still there.
const outdir = join(root, '.cache', `bench-${name}`)
await bundle({
  entryPoints: entries,
  outdir,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  outExtension: { '.js': '.mjs' },
  logLevel: 'warning',
})
const child = spawn(process.execPath, [join(outdir, 'run.mjs'), ...flags], { cwd: root, stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.once('exit', (code) => {
  process.exitCode = code ?? 1
})
