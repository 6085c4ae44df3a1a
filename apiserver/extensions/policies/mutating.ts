import type { Mutation } from '../../../api/generated/types.ts'
import { internalServerError } from '../../../api/machinery/errors.ts'
import type { AnyObject } from '../../../api/machinery/object.ts'
import type { AdmissionContext } from '../../admission/context.ts'
import { refuse } from '../../admission/refuse.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../../admission/types.ts'
import { jsonPatch } from '../../patch/json-patch.ts'
import { typeOf } from '../../patch/typed.ts'
import { mergeTyped } from '../../patch/typed-merge.ts'
import { sameJson } from '../../registry/json.ts'
import { isExempt } from '../matching.ts'
import { replaceObject, schemaIn } from '../replace-object.ts'
import { objectsIn } from '../request.ts'
import { type Case, createJudge, type Judge } from './judge.ts'
import { followPolicies } from './policies.ts'

/** Lets the MutatingAdmissionPolicies in force change what is written. */
export function createMutatingPolicies(context: AdmissionContext): AdmissionPlugin {
  const source = followPolicies(context.client, context.lookup, 'mutatingadmissionpolicies')
  const judge = createJudge(context)
  const seen = new WeakSet<AdmissionAttributes>()
  return {
    name: 'MutatingAdmissionPolicy',
    handles: ({ resource, operation }) => operation !== 'DELETE' && source.policies.length > 0 && !isExempt(resource),
    async admit(attributes) {
      const again = seen.has(attributes)
      seen.add(attributes)
      let changed = false
      for (const bound of source.policies) {
        if (again && bound.policy.reinvocationPolicy !== 'IfNeeded') continue
        // Each sees what those before it made of the object.
        for (const each of await judge.cases(bound, attributes)) {
          changed = (await mutate(judge, each, attributes)) || changed
        }
      }
      if (changed && !again) attributes.reinvoke = true
    },
  }
}

/** Applies what a policy says. Returns whether anything is different. */
async function mutate(judge: Judge, each: Case, attributes: AdmissionAttributes): Promise<boolean> {
  const { policy, binding, variables, wanted } = each
  const { object } = attributes
  if (!object) return false
  const failed = (why: string) => {
    if (policy.failurePolicy === 'Ignore') return
    throw refuse(
      attributes,
      `MutatingAdmissionPolicy '${policy.name}' with binding '${binding.name}' denied request: ${why}`,
    )
  }
  if (!variables) {
    failed(each.fault)
    return false
  }
  let changed = false
  for (const mutation of policy.mutations ?? []) {
    const { object: sent } = objectsIn(attributes, wanted)
    if (!sent) break
    let result: AnyObject
    try {
      result = await applied(judge, each, mutation, sent, attributes)
    } catch (error) {
      failed((error as Error).message.split('\n')[0] ?? '')
      continue
    }
    if (sameJson(result, sent)) continue
    try {
      replaceObject(attributes, object, result, wanted)
    } catch (error) {
      throw internalServerError(
        `MutatingAdmissionPolicy '${policy.name}' made what is no ${attributes.resource.kind}: ${(error as Error).message}`,
      )
    }
    changed = true
  }
  return changed
}

/** What a mutation makes of an object, which it does not change. Rejects with an Error for what cannot be evaluated. */
async function applied(
  { expressions }: Judge,
  { variables = {}, wanted }: Case,
  { patchType, applyConfiguration, jsonPatch: patch }: Mutation,
  sent: AnyObject,
  { resource }: AdmissionAttributes,
): Promise<AnyObject> {
  const { celValue, jsonValue } = await import('../../../api/cel/values.ts')
  // It sees what the mutations before it did.
  const own = Object.create(variables, { object: { value: celValue(sent), enumerable: true } })
  if (patchType === 'JSONPatch') {
    const operations = await expressions.evaluate(patch?.expression ?? '', 'jsonPatch', own)
    return jsonPatch(sent, jsonValue(operations)) as AnyObject
  }
  const config = await expressions.evaluate(applyConfiguration?.expression ?? '', 'applyConfiguration', own)
  return mergeTyped(typeOf(schemaIn(resource, wanted)), sent, jsonValue(config)) as AnyObject
}
