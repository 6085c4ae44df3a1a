import type { AdmissionContext } from '../../admission/context.ts'
import type { AdmissionPlugin } from '../../admission/types.ts'
import { isExempt } from '../matching.ts'
import { createAsking } from './ask.ts'
import { followHooks } from './hooks.ts'

/** Lets the webhooks of ValidatingWebhookConfigurations refuse what is written; all are asked at once. */
export function createValidatingWebhooks(context: AdmissionContext): AdmissionPlugin {
  const source = followHooks(
    context.client,
    context.lookup('admissionregistration.k8s.io', 'validatingwebhookconfigurations'),
  )
  const asking = createAsking(context)
  return {
    name: 'ValidatingAdmissionWebhook',
    handles: ({ resource }) => source.hooks.length > 0 && !isExempt(resource),
    async validate(attributes) {
      const outcomes = await Promise.allSettled(source.hooks.map((hook) => asking.ask(hook, attributes)))
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    },
  }
}
