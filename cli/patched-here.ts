import { StatusError } from '../api/machinery/errors.ts'
import { type AnyObject, parseApiVersion } from '../api/machinery/object.ts'
import { CliError } from './errors.ts'
import { merged } from './merge-patch.ts'

/** An object with a patch of one of kubectl's three types, as a server would make it. Throws for one that does not fit. */
export async function patchedHere(object: AnyObject, patch: unknown, type: string): Promise<AnyObject> {
  switch (type) {
    case 'merge':
      return merged(object, patch) as AnyObject
    case 'json': {
      const { default: jsonPatch } = await import('fast-json-patch')
      return refusing(() => {
        const operations = patch as Parameters<typeof jsonPatch.applyPatch>[1]
        return jsonPatch.applyPatch(jsonPatch.deepClone(object), operations, true).newDocument as AnyObject
      })
    }
    case 'strategic': {
      const [{ strategicMergePatch }, { schemaOf }] = await Promise.all([
        import('../api/patch/strategic-merge.ts'),
        import('./apply/schema-of.ts'),
      ])
      const { group, version } = parseApiVersion(object.apiVersion ?? '')
      const schema = schemaOf({ group, version, kind: object.kind ?? '' })
      if (!schema)
        throw new CliError(
          `${object.kind} is no built-in kind, and only those are known to merge their lists: use the type merge`,
        )
      return refusing(() => strategicMergePatch({ ...object }, patch as AnyObject, schema) as AnyObject)
    }
  }
  throw new CliError(`a patch is of the type json, merge or strategic, not ${JSON.stringify(type)}`)
}

function refusing<T>(patch: () => T): T {
  try {
    return patch()
  } catch (error) {
    const { message } = error as Error
    throw new CliError(`the patch does not fit: ${error instanceof StatusError ? message : message.split('\n')[0]}`)
  }
}
