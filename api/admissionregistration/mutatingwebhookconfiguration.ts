import type { MutatingWebhookConfiguration } from '../generated/types.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { defaultWebhook, validateWebhooks, webhookColumns } from './webhooks.ts'

export const mutatingWebhookConfigurations = defineResource<Stored<MutatingWebhookConfiguration>>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  categories: ['api-extensions'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration'),
  defaults: ({ webhooks = [] }) => {
    for (const webhook of webhooks) {
      defaultWebhook(webhook)
      webhook.reinvocationPolicy ??= 'Never'
    }
  },
  validate: validateWebhooks,
  strategy: { generation: 'outsideMetadata', unconditionalUpdate: false },
  columns: webhookColumns,
})
