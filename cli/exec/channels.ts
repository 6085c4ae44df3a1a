import type { Status } from '../../api/generated/types.ts'
import { CliError } from '../errors.ts'

/** The protocol by which commands are run: each message begins with the number of its channel. */
export const protocol = 'v5.channel.k8s.io'

export const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const

/** A message on a channel. */
export function frame(on: number, bytes: Uint8Array | string): Buffer {
  const body = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  const message = Buffer.allocUnsafe(body.length + 1)
  message[0] = on
  message.set(body, 1)
  return message
}

/** Tells the other side that a channel has come to its end. */
export const closing = (which: number): Buffer => Buffer.from([channel.close, which])

/** How a command ended, from the one message on the error channel: its exit code. Any other failure is thrown. */
export function exitCodeOf(message: string): number {
  const status = JSON.parse(message) as Status
  if (status.status === 'Success') return 0
  const { reason, message: why = 'the command failed', details } = status
  if (reason === 'NonZeroExitCode') {
    const cause = details?.causes?.find((one) => one.reason === 'ExitCode')
    const exitCode = Number(cause?.message)
    if (Number.isInteger(exitCode) && exitCode > 0) return exitCode
  }
  throw new CliError(why)
}
