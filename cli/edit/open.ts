import { spawnSync } from 'node:child_process'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'

/** Lets the user change a file; returns when the editor has ended. Throws where it cannot be run, or fails. */
export function openEditor({ io: { env } }: Session, file: string): void {
  const editor = env.KUBE_EDITOR || env.EDITOR || 'vi'
  const { status, error } = spawnSync('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit', env })
  if (error || status !== 0)
    throw new CliError(
      `there was a problem with the editor "${editor}"${status === null ? '' : `: exit status ${status}`}. Name another with KUBE_EDITOR or EDITOR`,
    )
}
