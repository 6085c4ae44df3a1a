import type { Command } from 'commander'
import { apiVersionOf } from '../api/machinery/object.ts'
import { CliError } from './errors.ts'
import { collectList } from './flags.ts'
import { resourceName, type ServedKind } from './kinds.ts'
import { alignRows } from './print/table.ts'
import type { Verb } from './verb.ts'

interface ApiResourcesFlags {
  apiGroup?: string
  namespaced?: string
  verbs?: string[]
  categories?: string[]
  output?: string
  headers: boolean
  sortBy?: string
}

export const apiResources: Verb<ApiResourcesFlags> = {
  usage: '',
  examples: ['gantry api-resources', 'gantry api-resources --namespaced=false --verbs=list -o name'],
  define: (command: Command) =>
    void command
      .option('--api-group <group>', 'only those of this group')
      .option('--namespaced <bool>', 'only those in namespaces, or only those outside')
      .option('--verbs <verbs>', 'only those that know all of these', collectList)
      .option('--categories <names>', 'only those of all of these categories', collectList)
      .option('-o, --output <format>', 'wide or name')
      .option('--sort-by <field>', 'name or kind')
      .option('--no-headers', 'no line with the names of the columns'),
  async run(session, args, flags) {
    if (args.length > 0) throw new CliError(`unexpected arguments: [${args.join(' ')}]`)
    const { output = '', sortBy = '' } = flags
    if (!['', 'wide', 'name'].includes(output))
      throw new CliError(`--output ${output} is not available: choose wide or name`)
    if (!['', 'name', 'kind'].includes(sortBy)) throw new CliError('--sort-by accepts only name or kind')
    const shown = preferred((await session.kinds()).all).filter((kind) => isAsked(kind, flags))
    const key = (kind: ServedKind) => (sortBy === 'kind' ? kind.kind : sortBy === 'name' ? kind.plural : kind.group)
    const sorted = shown.sort((a, b) => compare(key(a), key(b)) || compare(a.plural, b.plural))
    if (output === 'name') {
      for (const kind of sorted) session.io.out(`${resourceName(kind)}\n`)
      return 0
    }
    const wide = output === 'wide'
    const header = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND', ...(wide ? ['VERBS', 'CATEGORIES'] : [])]
    const rows = sorted.map((kind) => [
      kind.plural,
      kind.shortNames.join(','),
      apiVersionOf(kind.group, kind.version),
      String(kind.namespaced),
      kind.kind,
      ...(wide ? [kind.verbs.join(','), kind.categories.join(',')] : []),
    ])
    session.io.out(alignRows(flags.headers ? [header, ...rows] : rows))
    return 0
  },
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Each kind once, in the version that the server prefers. */
function preferred(all: readonly ServedKind[]): ServedKind[] {
  const seen = new Set<string>()
  return all.filter((kind) => {
    const name = resourceName(kind)
    if (seen.has(name) || kind.verbs.length === 0) return false
    seen.add(name)
    return true
  })
}

function isAsked({ group, namespaced, verbs, categories }: ServedKind, flags: ApiResourcesFlags): boolean {
  return (
    (flags.apiGroup === undefined || flags.apiGroup === group) &&
    (flags.namespaced === undefined || (flags.namespaced !== 'false') === namespaced) &&
    (flags.verbs ?? []).every((verb) => verbs.includes(verb)) &&
    (flags.categories ?? []).every((category) => categories.includes(category))
  )
}
