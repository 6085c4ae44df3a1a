import type { ValidatingWebhookConfiguration } from '../generated/types.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { defaultWebhook, validateWebhooks, webhookColumns } from './webhooks.ts'

export const validatingWebhookConfigurations = defineResource<Stored<ValidatingWebhookConfiguration>>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  categories: ['api-extensions'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration'),
  defaults: ({ webhooks = [] }) => {
    for (const webhook of webhooks) defaultWebhook(webhook)
  },
  validate: validateWebhooks,
  strategy: { generation: 'outsideMetadata', unconditionalUpdate: false },
  columns: webhookColumns,
})
