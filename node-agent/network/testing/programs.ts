import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

/** A helper program of a test that speaks in lines of JSON. */
export interface Program {
  child: ChildProcess
  lines: Interface
  write(value: unknown): void
  /** Ends it, and resolves when it has ended. */
  end(signal?: NodeJS.Signals): Promise<void>
}

/** Starts one of the programs beside this file behind a prefix such as `nsenter --net=PATH`. */
export function startProgram(
  name: 'agent-program' | 'hand-program',
  enter: readonly string[],
  args: readonly string[],
): Program {
  const [command = process.execPath, ...rest] = [...enter, process.execPath, bundled(name), ...args]
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)
  return {
    child,
    lines,
    write: (value) => void child.stdin.write(`${JSON.stringify(value)}\n`),
    async end(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill(signal)
      await ended
    },
  }
}

const built = new Map<string, string>()

/** Node does not read TypeScript by itself. */
function bundled(name: string): string {
  const known = built.get(name)
  if (known) return known
  const outfile = join(mkdtempSync(join(tmpdir(), 'gantry-network-')), `${name}.mjs`)
  const entry = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire('/');" }
  buildSync({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', banner, logLevel: 'error' })
  built.set(name, outfile)
  return outfile
}
