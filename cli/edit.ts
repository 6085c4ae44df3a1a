import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { StatusError } from '../api/machinery/errors.ts'
import { parseYaml } from '../api/machinery/json.ts'
import { pathOf } from '../client/client.ts'
import { editorText, hasContent } from './edit/text.ts'
import { CliError } from './errors.ts'
import { addFileFlags } from './flags.ts'
import { resourceName } from './kinds.ts'
import { mergePatchOf } from './merge-patch.ts'
import type { NamedObject } from './objects.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { objectName, parseOutput, printObject } from './print/printer.ts'
import type { Session } from './session.ts'
import { type SubjectFlags, subjectsGiven } from './subjects.ts'
import { validationOf } from './validation.ts'
import type { Verb } from './verb.ts'
import type { Subject } from './workloads.ts'

interface EditFlags extends SubjectFlags, OutputFlags {
  outputPatch?: boolean
  showManagedFields?: boolean
  subresource?: string
  fieldManager?: string
  validate?: string
}

export const edit: Verb<EditFlags> = {
  usage: '(-f FILE | TYPE NAME... | TYPE/NAME...)',
  examples: ['gantry edit deployment/web', 'KUBE_EDITOR="code --wait" gantry edit configmap settings'],
  define: (command: Command) =>
    void addOutputFlags(addFileFlags(command))
      .option('--output-patch', 'show what is sent')
      .option('--subresource <name>', 'only this part: status, scale')
      .option('--field-manager <name>', 'who owns the fields')
      .option('--validate <how>', 'strict (unknown fields are refused), warn or ignore'),
  async run(session, args, flags) {
    await parseOutput(flags)
    let failed = false
    for (const subject of await subjectsGiven(session, args, flags))
      if (!(await editOne(session, subject, flags))) failed = true
    return failed ? 1 : 0
  },
}

/** Opens the editor until the server takes what comes of it, or nothing more is changed. */
async function editOne(session: Session, { kind, object }: Subject, flags: EditFlags): Promise<boolean> {
  const { managedFields, ...metadata } = object.metadata
  const original = flags.showManagedFields ? object : { ...object, metadata }
  const directory = mkdtempSync(join(tmpdir(), 'gantry-edit-'))
  const file = join(directory, `${kind.singular}-${metadata.name}.yaml`)
  let keep = false
  let problem: string[] | undefined
  let before = editorText(original)
  try {
    for (;;) {
      writeFileSync(file, before, { mode: 0o600 })
      openEditor(session, file)
      const text = readFileSync(file, 'utf8')
      if (!hasContent(text)) throw new CliError('Edit cancelled, saved file was empty.')
      if (text === before && problem) {
        keep = true
        session.io.err(
          `error: ${kind.plural} "${metadata.name}" is invalid\nA copy of your changes has been stored to "${file}"\nerror: Edit cancelled, no valid changes were saved.\n`,
        )
        return false
      }
      try {
        const edited = parseYaml(text).value as NamedObject
        const patch = mergePatchOf(original, edited)
        if (!patch) {
          session.io.err('Edit cancelled, no changes made.\n')
          return true
        }
        if (edited.kind !== object.kind || edited.metadata?.name !== metadata.name)
          throw new CliError('kind and metadata.name cannot be changed: `gantry create` makes another object')
        if (flags.outputPatch) session.io.out(`Patch: ${JSON.stringify(patch)}\n`)
        const changed = await session.json<NamedObject>(
          'PATCH',
          pathOf(kind, metadata.namespace, metadata.name, flags.subresource),
          {
            query: {
              fieldManager: flags.fieldManager ?? 'kubectl-edit',
              fieldValidation: validationOf(flags.validate),
            },
            headers: { 'content-type': 'application/merge-patch+json' },
            body: JSON.stringify(patch),
          },
        )
        const output = await parseOutput(flags)
        session.io.out(output.type === 'table' ? `${objectName(changed)} edited\n` : printObject(output, changed))
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
        problem = problemsOf(error, `${resourceName(kind)} "${metadata.name}"`)
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

function openEditor({ io: { env } }: Session, file: string): void {
  const editor = env.KUBE_EDITOR || env.EDITOR || 'vi'
  const { status, error } = spawnSync('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit', env })
  if (error || status !== 0)
    throw new CliError(
      `there was a problem with the editor "${editor}"${status === null ? '' : `: exit status ${status}`}. Name another with KUBE_EDITOR or EDITOR`,
    )
}
