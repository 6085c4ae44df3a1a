import { readFileSync } from 'node:fs'
import { textOf } from './manifests.ts'
import type { Session } from './session.ts'

/** `--raw`: a request to a path of the server; its answer is shown as it is. */
export async function sendRaw(session: Session, method: string, path: string, body?: string): Promise<number> {
  const request = body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }
  for await (const chunk of await session.raw(method, path, { stream: true, ...request }))
    await session.io.write('out', chunk as Buffer)
  return 0
}

/** What `-f` names, as it stands there. */
export const bodyOf = ({ io }: Session, file: string): string | Promise<string> =>
  file === '-' ? textOf(io.stdin) : readFileSync(file, 'utf8')
