import type { JSONSchemaProps } from '../generated/types.ts'
import { asSchema, propertyOf } from './schema-walk.ts'

/** Where a path leads: its steps and the schema there. */
export interface ResolvedPath {
  steps: string[]
  schema: JSONSchemaProps
}

/** Follows a path such as `.spec.size` or `.spec['odd name']` (with `brackets`) through a schema. */
export function resolveFieldPath(
  path: string,
  schema: JSONSchemaProps,
  { brackets }: { brackets: boolean },
): ResolvedPath | { fault: string } {
  const tokens = path.match(/'(?:\\.|[^'\\])*'?|[.[\]]|[^.[\]']+/g) ?? []
  const steps: string[] = []
  let at = schema
  let i = 0
  const step = (name: string): string | undefined => {
    const next = notEmpty(at.properties) ? propertyOf(at, name) : asSchema(at.additionalProperties)
    if (!next) return 'does not refer to a valid field'
    steps.push(name)
    at = next
    return undefined
  }
  while (i < tokens.length) {
    const token = tokens[i++]
    let fault: string | undefined
    if (token === '.') {
      const name = tokens[i++]
      fault = name === undefined ? 'unexpected end of JSON path' : step(name)
    } else if (token === '[') {
      if (!brackets) return { fault: 'array notation is not allowed' }
      const quoted = tokens[i++]
      if (quoted === undefined) return { fault: 'unexpected end of JSON path' }
      if (!/^'.*'$/s.test(quoted) || quoted.length < 2) {
        return { fault: `expected single quoted string but got ${quoted}` }
      }
      fault = step(quoted.slice(1, -1).replace(/\\(.)/gs, '$1'))
      const close = tokens[i++]
      fault ??=
        close === undefined ? 'unexpected end of JSON path' : close === ']' ? undefined : `expected ] but got ${close}`
    } else fault = `expected [ or . but got: ${token}`
    if (fault) return { fault }
  }
  return { steps, schema: at }
}

const notEmpty = (map: object | undefined): boolean => map !== undefined && Object.keys(map).length > 0
