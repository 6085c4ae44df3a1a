import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A cluster that a benchmark has for itself. */
interface OwnCluster {
  kubeconfig: string
  /** The id of one of its processes, by the name of its record. */
  pid(name: string): string
}

/** Starts a cluster in a directory of its own, has a program drive it with the flags for it, and takes it away again. */
export async function withOwnCluster(
  up: readonly string[],
  program: string,
  flagsFor: (cluster: OwnCluster) => readonly string[],
): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gantry-bench-'))
  const gantry = (...args: string[]) => run([join(process.cwd(), 'bin/gantry'), ...args, '--data-dir', dataDir], 'pipe')
  try {
    await gantry('up', '--detach', '--port', '0', ...up)
    const pid = (name: string) => String(JSON.parse(readFileSync(join(dataDir, 'run', `${name}.json`), 'utf8')).pid)
    await run([program, ...flagsFor({ kubeconfig: join(dataDir, 'kubeconfig'), pid })], 'inherit')
  } finally {
    await gantry('down', '--delete-data')
    rmSync(dataDir, { recursive: true, force: true })
  }
}

function run(command: readonly string[], output: 'pipe' | 'inherit'): Promise<void> {
  const child = spawn(process.execPath, [...command], { stdio: ['ignore', output, 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command.slice(0, 2).join(' ')} ended with ${code}`)),
    )
  })
}
