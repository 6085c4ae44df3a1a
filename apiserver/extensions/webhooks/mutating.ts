import { internalServerError } from '../../../api/machinery/errors.ts'
import { type AnyObject, apiVersionOf } from '../../../api/machinery/object.ts'
import type { AdmissionContext } from '../../admission/context.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../../admission/types.ts'
import { jsonPatch } from '../../patch/json-patch.ts'
import { sameJson } from '../../registry/json.ts'
import { type GroupVersion, isExempt } from '../matching.ts'
import { replaceObject } from '../replace-object.ts'
import { objectsIn } from '../request.ts'
import { createAsking } from './ask.ts'
import { followHooks, type Hook } from './hooks.ts'

/** Which webhooks a write has been shown to, over both rounds. */
interface Rounds {
  /** By id, the object as it was once the webhook had seen it. */
  shown: Map<string, string>
}

/** Lets the webhooks of MutatingWebhookConfigurations change what is written, one after the other. */
export function createMutatingWebhooks(context: AdmissionContext): AdmissionPlugin {
  const source = followHooks(
    context.client,
    context.lookup('admissionregistration.k8s.io', 'mutatingwebhookconfigurations'),
  )
  const asking = createAsking(context)
  const rounds = new WeakMap<AdmissionAttributes, Rounds>()
  return {
    name: 'MutatingAdmissionWebhook',
    handles: ({ resource }) => source.hooks.length > 0 && !isExempt(resource),
    async admit(attributes) {
      const round = rounds.get(attributes)
      const shown = round?.shown ?? new Map<string, string>()
      rounds.set(attributes, { shown })
      let changed = false
      for (const hook of source.hooks) {
        const before = shown.get(hook.id)
        // The second time only those are asked who want to know what was done since.
        if (round && (hook.reinvocationPolicy !== 'IfNeeded' || before === undefined || before === textOf(attributes)))
          continue
        const asked = await asking.ask(hook, attributes)
        if (!asked) continue
        if (asked.verdict?.patch !== undefined && attributes.object) {
          changed = applyPatch(attributes, attributes.object, asked.wanted, asked.verdict.patch, hook) || changed
        }
        shown.set(hook.id, textOf(attributes))
      }
      if (changed && !round) attributes.reinvoke = true
    },
  }
}

const textOf = ({ object }: AdmissionAttributes): string => JSON.stringify(object ?? null)

/** Changes the object in place, in the storage version and with defaults. Returns whether anything is different. */
function applyPatch(
  attributes: AdmissionAttributes,
  object: AnyObject,
  wanted: GroupVersion,
  patch: unknown,
  { name }: Hook,
): boolean {
  const { resource, kind } = attributes
  const { object: sent } = objectsIn(attributes, wanted)
  try {
    const patched = jsonPatch(sent as AnyObject, patch) as AnyObject
    if (sameJson(patched, sent)) return false
    const apiVersion = apiVersionOf(wanted.group, wanted.version)
    if (!kind && (patched.apiVersion !== apiVersion || patched.kind !== resource.kind)) {
      throw new Error('the patch changes what kind of object it is')
    }
    replaceObject(attributes, object, patched, wanted)
    return true
  } catch (error) {
    throw internalServerError(`the patch of admission webhook ${JSON.stringify(name)}: ${(error as Error).message}`)
  }
}
