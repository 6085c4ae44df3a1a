import type { Io, Terminal } from '../io.ts'

interface Wanted {
  stdin?: boolean
  tty?: boolean
  quiet?: boolean
}

/** The terminal to hand over, if one is wanted and there is one. Says so where there is none. */
export function terminalFor(io: Io, { stdin, tty, quiet }: Wanted): Terminal | undefined {
  if (!stdin || !tty) return undefined
  if (!io.terminal && !quiet) io.err('Unable to use a TTY - input is not a terminal or the right kind of file\n')
  return io.terminal
}
