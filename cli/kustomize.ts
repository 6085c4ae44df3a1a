import type { Command } from 'commander'
import { CliError } from './errors.ts'
import type { Verb } from './verb.ts'

const restrictors = ['LoadRestrictionsRootOnly', 'LoadRestrictionsNone']

export const kustomize: Verb<{ loadRestrictor: string }> = {
  usage: '[DIR]',
  examples: ['gantry kustomize overlays/production', 'gantry apply -k overlays/production'],
  define: (command: Command) =>
    void command.option(
      '--load-restrictor <which>',
      'LoadRestrictionsNone: files from outside the directory may be named',
      'LoadRestrictionsRootOnly',
    ),
  async run(session, [directory = '.', ...more], { loadRestrictor }) {
    if (more.length > 0) throw new CliError('specify one path to kustomization.yaml')
    if (!restrictors.includes(loadRestrictor))
      throw new CliError(
        `illegal flag value --load-restrictor ${loadRestrictor}; legal values: ${restrictors.join(', ')}`,
      )
    const [{ buildKustomization }, { toYaml }] = await Promise.all([
      import('./kustomize/build.ts'),
      import('./print/documents.ts'),
    ])
    const objects = buildKustomization(directory, { anywhere: loadRestrictor === 'LoadRestrictionsNone' })
    session.io.out(objects.map(toYaml).join('---\n'))
    return 0
  },
}
