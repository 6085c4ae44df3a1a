import type { Schema } from '../../api/machinery/schema.ts'
import { builtinDefinitions, builtinSchema } from '../../api/schema/builtin.ts'
import type { ServedKind } from '../kinds.ts'

/** How lists of a built-in kind are merged; undefined for kinds that are not built in. */
export function schemaOf({ group, version, kind }: Pick<ServedKind, 'group' | 'version' | 'kind'>): Schema | undefined {
  // Groups like networking.k8s.io are called by their first word in the names of types.
  const suffix = `.${group === '' ? 'core' : group.split('.')[0]}.${version}.${kind}`
  const name = builtinDefinitions().find((definition) => definition.endsWith(suffix))
  return name === undefined ? undefined : builtinSchema(name)
}
