import { isDeepStrictEqual } from 'node:util'
import { pathOf } from '../../client/client.ts'
import { changeText } from '../changing.ts'
import { editUntilTaken } from '../edit/until-taken.ts'
import { CliError } from '../errors.ts'
import { addFileFlags } from '../flags.ts'
import type { NamedObject } from '../objects.ts'
import { addOutputFlags, type OutputFlags } from '../print/output-flags.ts'
import { parseOutput } from '../print/printer.ts'
import { type SubjectFlags, subjectsGiven } from '../subjects.ts'
import { validationOf } from '../validation.ts'
import type { Verb } from '../verb.ts'
import { lastApplied, rememberingPatch } from './last-applied.ts'

interface EditFlags extends SubjectFlags, OutputFlags {
  fieldManager: string
  validate?: string
}

export const editLastApplied: Verb<EditFlags> & { summary: string } = {
  summary: 'change in an editor what was asked for the last time',
  usage: '(TYPE NAME... | TYPE/NAME... | -f FILE)',
  examples: ['gantry apply edit-last-applied deployment/web'],
  define: (command) =>
    void addOutputFlags(addFileFlags(command))
      .option('--field-manager <name>', 'who owns the annotation', 'kubectl-client-side-apply')
      .option('--validate <how>', 'strict, warn or ignore'),
  async run(session, args, flags) {
    const output = await parseOutput(flags)
    const subjects = (await subjectsGiven(session, args, flags)).flatMap(({ kind, object }) => {
      const asked = lastApplied(object) as NamedObject | undefined
      return asked ? [{ kind, asked, path: pathOf(kind, object.metadata.namespace, object.metadata.name) }] : []
    })
    if (subjects.length === 0)
      throw new CliError(
        'no last-applied-configuration annotation found on resources, to create the annotation, use command `gantry apply set-last-applied --create-annotation`',
      )
    let failed = false
    for (const { kind, asked, path } of subjects) {
      const taken = await editUntilTaken(session, { kind, object: asked }, async (edited) => {
        if (isDeepStrictEqual(edited, asked)) return false
        if (edited.kind !== asked.kind || edited.metadata?.name !== asked.metadata.name)
          throw new CliError('kind and metadata.name are those of another object')
        await session.json('PATCH', path, {
          query: { fieldManager: flags.fieldManager, fieldValidation: validationOf(flags.validate) },
          headers: { 'content-type': 'application/merge-patch+json' },
          body: JSON.stringify(rememberingPatch(edited)),
        })
        session.io.out(changeText(output, edited, 'edited', 'none'))
        return true
      })
      failed ||= !taken
    }
    return failed ? 1 : 0
  },
}
