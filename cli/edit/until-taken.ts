import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StatusError } from '../../api/machinery/errors.ts'
import { parseYaml } from '../../api/machinery/json.ts'
import { CliError } from '../errors.ts'
import { resourceName } from '../kinds.ts'
import type { NamedObject } from '../objects.ts'
import type { Session } from '../session.ts'
import type { Subject } from '../workloads.ts'
import { openEditor } from './open.ts'
import { editorText, hasContent } from './text.ts'

/**
 * Opens the editor on an object until what comes of it is taken, or nothing more is changed. `take` resolves to false where
 * there is nothing to take, and throws what the user is to mend. False: what was written was never taken.
 */
export async function editUntilTaken(
  session: Session,
  { kind, object }: Subject,
  take: (edited: NamedObject) => Promise<boolean>,
): Promise<boolean> {
  const { name } = object.metadata
  const directory = mkdtempSync(join(tmpdir(), 'gantry-edit-'))
  const file = join(directory, `${kind.singular}-${name}.yaml`)
  let keep = false
  let problem: string[] | undefined
  let before = editorText(object)
  try {
    for (;;) {
      writeFileSync(file, before, { mode: 0o600 })
      openEditor(session, file)
      const text = readFileSync(file, 'utf8')
      if (text === before && problem) {
        keep = true
        session.io.err(
          `error: ${problem.join('\n')}\nA copy of your changes has been stored to "${file}"\nerror: Edit cancelled, no valid changes were saved.\n`,
        )
        return false
      }
      if (!hasContent(text)) throw new CliError('Edit cancelled, saved file was empty.')
      try {
        if (!(await take(parseYaml(text).value as NamedObject))) session.io.err('Edit cancelled, no changes made.\n')
        return true
      } catch (error) {
        // Neither a lost connection nor an interruption is anything that editing would cure.
        keep = true
        if (
          session.io.signal.aborted ||
          !(error instanceof Error) ||
          ('code' in error && !(error instanceof StatusError))
        )
          throw error
        problem = problemsOf(error, `${resourceName(kind)} "${name}"`)
        before = editorText(text, problem)
        keep = false
      }
    }
  } finally {
    if (!keep) rmSync(directory, { recursive: true, force: true })
  }
}

function problemsOf(error: Error, what: string): string[] {
  const causes = error instanceof StatusError ? (error.details?.causes ?? []) : []
  if (causes.length === 0) return [`${what} was not valid:`, `* ${error.message}`]
  return [`${what} was not valid:`, ...causes.map(({ field, message }) => `* ${field}: ${message}`)]
}
