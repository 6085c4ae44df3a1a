import { execFile } from 'node:child_process'
import { isMountPoint, mountPointsBelow } from './mount-points.ts'

/** Longer than the kernel waits for a server that does not answer by itself. */
const timeoutMs = 120_000

/** Mounts what `source` is at `target`. Throws an Error in upstream's words, with what the command said. */
export function mount(
  target: string,
  source: string,
  { type = '', options = [] }: { type?: string; options?: readonly string[] } = {},
): Promise<void> {
  const flags = options.length > 0 ? ['-o', options.join(',')] : []
  return command('mount', [...(type === '' ? [] : ['-t', type]), ...flags, source, target])
}

/** Shows a directory, file or device at a second place. `readOnly` takes a second step, as the kernel wants it. */
export async function bind(target: string, source: string, { readOnly = false } = {}): Promise<void> {
  // The source is taken as it is written: to resolve it is to let somebody lead it elsewhere.
  await command('mount', ['--no-canonicalize', '-o', 'bind', source, target])
  if (readOnly) await command('mount', ['-o', 'bind,remount,ro', target])
}

/** Takes away everything that is mounted at the path, or below it; the last first. */
export async function unmountAll(path: string): Promise<void> {
  for (const point of (await mountPointsBelow(path)).reverse()) await command('umount', [point])
}

/** Lets what is mounted below the directory later show in containers that have a part of it already, and back. */
export async function shareMounts(directory: string): Promise<void> {
  if (!(await isMountPoint(directory))) await bind(directory, directory)
  await command('mount', ['--make-rshared', directory])
}

/** Runs a program of the machine to its end. Throws an Error with what it said. */
export function command(
  program: string,
  args: readonly string[],
  { patienceMs = timeoutMs }: { patienceMs?: number } = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: patienceMs, encoding: 'utf8' }, (error, _, stderr) => {
      if (!error) resolve()
      else reject(new Error(failureOf(program, args, error, stderr.trim(), patienceMs)))
    })
  })
}

function failureOf(program: string, args: readonly string[], error: Error, said: string, patienceMs: number): string {
  const { code, killed } = error as { code?: number | string; killed?: boolean }
  if (code === 'ENOENT') return `${program} is not installed on this node`
  const how = killed ? `no answer within ${patienceMs / 1000} s` : `exit status ${code}`
  if (program !== 'mount') return `${program} failed: ${how}\nArguments: ${args.join(' ')}\nOutput: ${said}\n`
  return `mount failed: ${how}\nMounting command: ${program}\nMounting arguments: ${args.join(' ')}\nOutput: ${said}\n`
}
