import type { Command } from 'commander'
import { CliError } from './errors.ts'
import { elementOf, type Schema, type Schemas } from './explain/schema.ts'
import { explanation } from './explain/text.ts'
import type { ServedKind } from './kinds.ts'
import { nearest } from './nearest.ts'
import type { Session } from './session.ts'
import type { Verb } from './verb.ts'

interface ExplainFlags {
  recursive?: boolean
  apiVersion?: string
  output?: string
}

export const explainVerb: Verb<ExplainFlags> = {
  usage: 'TYPE[.FIELD...]',
  examples: ['gantry explain pods', 'gantry explain deployment.spec.strategy', 'gantry explain pod.spec --recursive'],
  define: (command: Command) =>
    void command
      .option('-R, --recursive', 'the names of all fields below')
      .option('--api-version <group/version>', 'in this version of its group')
      .option('-o, --output <format>', 'plaintext'),
  async run(session, [word, more], flags) {
    if (!word) throw new CliError('You must specify the type of resource to explain. `gantry api-resources` lists them')
    if (more) throw new CliError('We accept only this format: explain RESOURCE')
    if (flags.output && flags.output !== 'plaintext')
      throw new CliError(`unknown output "${flags.output}": only plaintext is known here`)
    const { kind, path } = await kindIn(session, word, flags.apiVersion)
    const root = kind.group ? `apis/${kind.group}/${kind.version}` : `api/${kind.version}`
    const document = await session.json<{ components?: { schemas?: Schemas } }>('GET', `/openapi/v3/${root}`)
    const schemas = document.components?.schemas ?? {}
    let schema: Schema | undefined = Object.values(schemas).find((one) =>
      one['x-kubernetes-group-version-kind']?.some(
        (of) => of.group === kind.group && of.version === kind.version && of.kind === kind.kind,
      ),
    )
    if (!schema) throw new CliError(`Couldn't find resource for "${kind.group}/${kind.version}, Kind=${kind.kind}"`)
    const about = { group: kind.group, version: kind.version, kind: kind.kind }
    for (const name of path) {
      const { properties = {} } = elementOf(schema, schemas)
      schema = Object.hasOwn(properties, name) ? properties[name] : undefined
      if (!schema) {
        const meant = nearest(name, Object.keys(properties))
        throw new CliError(`field "${name}" does not exist${meant ? `. Did you mean "${meant}"?` : ''}`)
      }
    }
    session.io.out(explanation({ ...about, field: path.at(-1), schema }, schemas, Boolean(flags.recursive)))
    return 0
  },
}

/** The kind a path begins with, which may have its group (`deployments.apps`), and the fields after it. */
async function kindIn(session: Session, word: string, apiVersion: string | undefined) {
  const kinds = await session.kinds()
  const parts = word.split('.').filter((part) => part)
  let kind: ServedKind = kinds.named(parts[0] ?? '')
  let from = 1
  const groups = kinds.all.filter((one) => one.kind === kind.kind).map((one) => one.group)
  for (const group of groups.filter((one) => one)) {
    const words = group.split('.')
    if (words.every((part, i) => parts[i + 1] === part)) {
      kind = kinds.named(`${parts[0]}.${group}`)
      from = 1 + words.length
    }
  }
  if (apiVersion) kind = kinds.of(apiVersion, kind.kind)
  return { kind, path: parts.slice(from) }
}
