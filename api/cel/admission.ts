import type { Environment } from '@marcbachmann/cel-js'
import type { ExpressionUse } from '../machinery/compilers.ts'
import { addAuthorizer } from './authorizer.ts'
import { compile, newEnvironment } from './compile.ts'
import { addFormat } from './format.ts'
import { addLists } from './lists.ts'
import { structsAsMaps } from './structs.ts'

/** What the expressions of admission may come to, by where they stand. */
const results: Partial<Record<ExpressionUse, readonly string[]>> = {
  matchCondition: ['bool'],
  validation: ['bool'],
  validationMessage: ['string'],
  auditAnnotation: ['string', 'null'],
  // Anything.
  variable: [],
  applyConfiguration: [],
  jsonPatch: [],
}

let shared: Environment | undefined

/** The engine knows no functions with a dot in their names: they are methods of a constant. */
class JsonPatchFunctions {}

function environment(): Environment {
  if (shared) return shared
  shared = newEnvironment()
    .registerType('JsonPatchFunctions', { ctor: JsonPatchFunctions, fields: {} })
    .registerConstant('jsonpatch', 'JsonPatchFunctions', new JsonPatchFunctions())
    .registerFunction('JsonPatchFunctions.escapeKey(string): string', (_of: JsonPatchFunctions, key: string) =>
      key.replaceAll('~', '~0').replaceAll('/', '~1'),
    )
  addLists(shared)
  addFormat(shared)
  addAuthorizer(shared)
  for (const name of ['object', 'oldObject', 'request', 'params', 'namespaceObject', 'variables']) {
    shared.registerVariable(name, 'dyn')
  }
  shared.registerVariable('authorizer', 'Authorizer')
  return shared
}

/** An expression of admission, ready to run. */
export interface AdmissionProgram {
  /** Rejects with an Error where it cannot be evaluated. */
  run(variables: Record<string, unknown>): Promise<unknown>
}

/** An expression of a webhook or a policy, ready to be used, or what is wrong with it, in upstream's words. */
export function compileAdmission(expression: string, use: ExpressionUse): AdmissionProgram | { fault: string } {
  const allowed = results[use] ?? []
  const bounds = { results: allowed, anything: allowed.length === 0, maxCost: Number.POSITIVE_INFINITY, maxSize: 1 }
  const compiled = compile(environment(), structsAsMaps(expression), bounds)
  if ('fault' in compiled) return compiled
  return {
    async run(variables) {
      return await compiled.run(variables)
    },
  }
}
