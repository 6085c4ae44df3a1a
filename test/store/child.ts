import { type ChildProcess, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const bundles = new Map<string, Promise<string>>()

/** Runs a TypeScript file of this folder in a process of its own, which a test may then end as roughly as it likes. */
export async function runChild(file: string, args: readonly string[]): Promise<ChildProcess> {
  let bundle = bundles.get(file)
  if (!bundle) {
    bundle = bundleOf(file)
    bundles.set(file, bundle)
  }
  // From the project's root, where its imports resolve.
  return spawn(process.execPath, ['--input-type=module', '-e', await bundle, '--', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Calls `line` with each whole line the child prints; what a kill cuts off is dropped. */
export function onLines(child: ChildProcess, line: (text: string) => void): void {
  let rest = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const whole of lines) line(whole)
  })
}

async function bundleOf(file: string): Promise<string> {
  const result = await build({
    entryPoints: [join(root, 'test/store', file)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  })
  return result.outputFiles[0]!.text
}
