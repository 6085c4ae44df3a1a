import type { Command } from 'commander'
import { pathOf } from '../client/client.ts'
import { withLastApplied } from './apply/last-applied.ts'
import { changeText } from './changing.ts'
import { editUntilTaken } from './edit/until-taken.ts'
import { CliError } from './errors.ts'
import { addFileFlags } from './flags.ts'
import { mergePatchOf } from './merge-patch.ts'
import type { NamedObject } from './objects.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { parseOutput } from './print/printer.ts'
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
  saveConfig?: boolean
}

export const edit: Verb<EditFlags> = {
  usage: '(-f FILE | TYPE NAME... | TYPE/NAME...)',
  examples: ['gantry edit deployment/web', 'KUBE_EDITOR="code --wait" gantry edit configmap settings'],
  define: (command: Command) =>
    void addOutputFlags(addFileFlags(command))
      .option('--output-patch', 'show what is sent')
      .option('--subresource <name>', 'only this part: status, scale')
      .option('--save-config', 'remember what was asked for, for a later apply')
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

/** Lets the user change one object; false where the server takes nothing of what comes of it. */
async function editOne(session: Session, { kind, object }: Subject, flags: EditFlags): Promise<boolean> {
  const { managedFields: _, ...metadata } = object.metadata
  const original = flags.showManagedFields ? object : { ...object, metadata }
  return editUntilTaken(session, { kind, object: original }, async (edited) => {
    if (!mergePatchOf(original, edited)) return false
    if (edited.kind !== object.kind || edited.metadata?.name !== metadata.name)
      throw new CliError('kind and metadata.name cannot be changed: `gantry create` makes another object')
    const patch = mergePatchOf(original, flags.saveConfig ? withLastApplied(edited) : edited)
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
    session.io.out(changeText(await parseOutput(flags), changed, 'edited', 'none'))
    return true
  })
}
