import { CliError } from './errors.ts'
import type { Kinds, ServedKind } from './kinds.ts'

/** What the words of a command line name: some objects, or all of some kinds. */
export type Targets =
  | { type: 'named'; objects: { kind: ServedKind; name: string }[]; kinds: number }
  | { type: 'all'; kinds: ServedKind[] }

/** `pods`, `pods,services`, `pod a b`, `pod/a service/b`. */
export function parseTargets(args: readonly string[], kinds: Kinds): Targets {
  const [first = '', ...names] = args
  if (args.some((word) => word.includes('/'))) {
    const objects = args.map((word) => {
      const [kind = '', name = '', ...rest] = word.split('/')
      if (!word.includes('/'))
        throw new CliError(
          "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'gantry get resource/<resource_name>' instead of 'gantry get resource resource/<resource_name>'",
        )
      if (rest.length > 0 || kind === '' || name === '')
        throw new CliError('arguments in resource/name form must have a single resource and name')
      return { kind: kinds.named(kind), name }
    })
    return { type: 'named', objects, kinds: new Set(objects.map(({ kind }) => kind)).size }
  }
  const found = first.split(',').flatMap((word) => (word === '' ? [] : kinds.namedMany(word)))
  if (names.length === 0) return { type: 'all', kinds: found }
  return {
    type: 'named',
    objects: found.flatMap((kind) => names.map((name) => ({ kind, name }))),
    kinds: found.length,
  }
}
