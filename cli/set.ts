import type { Command } from 'commander'
import type { Container } from '../api/generated/types.ts'
import { dryRunOption, dryRunSuffix, parseDryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import { kindName } from './kinds.ts'
import { nearest } from './nearest.ts'
import type { Verb } from './verb.ts'
import { patchSubject, readSubjects, type Subject, templateOf } from './workloads.ts'

interface SetImageFlags {
  all?: boolean
  selector?: string
  dryRun?: string
}

const image: Verb<SetImageFlags> & { summary: string } = {
  summary: 'give containers another image',
  usage: 'TYPE/NAME CONTAINER=IMAGE...',
  examples: ['gantry set image deployment/web app=web:2', "gantry set image deployment/web '*=web:2'"],
  define: (command: Command) =>
    void command
      .option('--all', 'all objects of the kind')
      .option('-l, --selector <labels>', 'the objects with these labels')
      .addOption(dryRunOption()),
  async run(session, args, flags) {
    const words = args.filter((word) => !word.includes('='))
    const images = args
      .filter((word) => word.includes('='))
      .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] as const)
    if (words.length === 0)
      throw new CliError('one or more resources must be specified as <resource> <name> or <resource>/<name>')
    if (images.length === 0) throw new CliError('at least one image update is required: CONTAINER=IMAGE')
    if (words.length === 1 && !words[0]?.includes('/') && !flags.all && !flags.selector)
      throw new CliError('resource(s) were provided, but no name was specified. Give TYPE/NAME, -l LABELS, or --all')
    const dryRun = parseDryRun(flags.dryRun)
    for (const subject of await readSubjects(session, words, flags.selector ? { labelSelector: flags.selector } : {})) {
      const patch = imagePatch(subject, images)
      // As in kubectl, what is so already is not told.
      if (!patch) continue
      if (dryRun !== 'client') await patchSubject(session, subject, patch, { manager: 'kubectl-set', dryRun })
      session.io.out(`${kindName(subject.kind)}/${subject.object.metadata.name} image updated${dryRunSuffix(dryRun)}\n`)
    }
    return 0
  },
}

export const set: Verb = {
  usage: 'image TYPE/NAME CONTAINER=IMAGE...',
  examples: image.examples,
  run: async () => 1,
  verbs: { image },
}

/** What changes the images; undefined where they are so already. Throws for a container that is not there. */
export function imagePatch(
  { kind, object }: Subject,
  images: readonly (readonly [string, string])[],
): object | undefined {
  const isPod = kind.plural === 'pods'
  const spec = isPod
    ? (object.spec as { containers: Container[]; initContainers?: Container[] })
    : templateOf(object)?.spec
  if (!spec) throw new CliError(`${kind.plural}/${object.metadata.name} has no pod template`)
  const changes: Record<string, { name: string; image: string }[]> = {}
  for (const [wanted, to] of images) {
    let found = false
    for (const list of ['initContainers', 'containers'] as const)
      for (const { name, image: from } of spec[list] ?? []) {
        if (name !== wanted && wanted !== '*') continue
        found = true
        if (from !== to) changes[list] = [...(changes[list] ?? []), { name, image: to }]
      }
    if (!found) {
      const meant = nearest(
        wanted,
        (spec.containers ?? []).map(({ name }) => name),
      )
      throw new CliError(`unable to find container named "${wanted}"${meant ? `. Did you mean "${meant}"?` : ''}`)
    }
  }
  if (Object.keys(changes).length === 0) return undefined
  return isPod ? { spec: changes } : { spec: { template: { spec: changes } } }
}
