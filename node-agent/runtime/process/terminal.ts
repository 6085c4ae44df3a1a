import { existsSync } from 'node:fs'
import type { HostCommand } from './command.ts'

const script = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path))

/**
 * The same command under a terminal of its own, made by script(1); where that is not installed, without one. Node has
 * no terminals to give.
 */
export function withTerminal(command: HostCommand): HostCommand {
  if (script === undefined || process.platform !== 'linux') return command
  const line = [command.file, ...command.args].map(quoted).join(' ')
  return {
    ...command,
    file: script,
    args: ['--quiet', '--return', '--flush', '--command', line, '/dev/null'],
    env: { TERM: 'xterm', ...command.env, SHELL: '/bin/sh' },
  }
}

const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`
