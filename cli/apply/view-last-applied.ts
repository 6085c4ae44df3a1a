import { CliError } from '../errors.ts'
import { addFileFlags } from '../flags.ts'
import { jsonText } from '../print/documents.ts'
import { toYaml } from '../print/yaml.ts'
import { type SubjectFlags, subjectsGiven } from '../subjects.ts'
import type { Verb } from '../verb.ts'
import { lastApplied, lastAppliedAnnotation } from './last-applied.ts'

export const viewLastApplied: Verb<SubjectFlags & { output: string }> & { summary: string } = {
  summary: 'show what was asked for the last time',
  usage: '(TYPE NAME... | TYPE/NAME... | TYPE -l LABELS | TYPE --all | -f FILE)',
  examples: ['gantry apply view-last-applied deployment/web', 'gantry apply view-last-applied -f web.yaml -o json'],
  define: (command) =>
    void addFileFlags(command)
      .option('-o, --output <format>', 'yaml or json', 'yaml')
      .option('-l, --selector <labels>', 'the objects with these labels')
      .option('--all', 'all objects of the kind, in the namespace'),
  async run(session, args, flags) {
    if (flags.output !== 'yaml' && flags.output !== 'json')
      throw new CliError(
        `Unexpected -o output mode: ${flags.output}, the flag 'output' must be one of yaml|json\nSee 'gantry apply view-last-applied -h' for help and examples`,
      )
    const subjects = await subjectsGiven(session, args, flags)
    const texts = subjects.map(({ object }) => {
      const asked = lastApplied(object)
      if (!asked)
        throw new CliError(`no last-applied-configuration annotation found on resource: ${object.metadata.name}`)
      if (flags.output === 'yaml') return toYaml(asked)
      // As in kubectl, a new line at the end is there where it is in the annotation.
      const end = object.metadata.annotations?.[lastAppliedAnnotation]?.endsWith('\n') ? '\n' : ''
      return `${jsonText(asked, 2)}${end}`
    })
    session.io.out(texts.join(''))
    return 0
  },
}
