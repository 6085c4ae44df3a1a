import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { CliError } from './errors.ts'
import type { Verb } from './verb.ts'

const restrictors = ['LoadRestrictionsRootOnly', 'LoadRestrictionsNone']

export const kustomize: Verb<{ loadRestrictor: string; output?: string }> = {
  usage: '[DIR]',
  examples: [
    'gantry kustomize overlays/production',
    'gantry kustomize overlays/production -o made.yaml',
    'gantry apply -k overlays/production',
  ],
  define: (command: Command) =>
    void command
      .option(
        '--load-restrictor <which>',
        'LoadRestrictionsNone: files from outside the directory may be named',
        'LoadRestrictionsRootOnly',
      )
      .option('-o, --output <path>', 'into this file, or a file for each object into this directory'),
  async run(session, [directory = '.', ...more], { loadRestrictor, output }) {
    if (more.length > 0) throw new CliError('specify one path to kustomization.yaml')
    if (!restrictors.includes(loadRestrictor))
      throw new CliError(
        `illegal flag value --load-restrictor ${loadRestrictor}; legal values: ${restrictors.join(', ')}`,
      )
    const [{ buildKustomization }, { namedFiles }, { toYaml }] = await Promise.all([
      import('./kustomize/build.ts'),
      import('./kustomize/named-files.ts'),
      import('./print/yaml.ts'),
    ])
    const objects = buildKustomization(directory, { anywhere: loadRestrictor === 'LoadRestrictionsNone' })
    if (output && statSync(output, { throwIfNoEntry: false })?.isDirectory())
      for (const [name, object] of namedFiles(objects)) writeFileSync(join(output, name), toYaml(object))
    else if (output) writeFileSync(output, objects.map(toYaml).join('---\n'))
    else session.io.out(objects.map(toYaml).join('---\n'))
    return 0
  },
}
