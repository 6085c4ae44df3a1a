import type { Webhook, WebhookConfiguration } from '../../../api/admissionregistration/webhooks.ts'
import type { Resource } from '../../../api/machinery/resource.ts'
import type { ServerClient } from '../../registry/reader.ts'
import type { Criteria } from '../matching.ts'

/** One webhook of a configuration, as it is asked. */
export interface Hook extends Webhook {
  /** Unlike the name, it is not shared by webhooks of other configurations. */
  readonly id: string
  readonly criteria: Criteria
}

/** All webhooks of one kind, in the order in which they are asked: by configuration, then as written. */
export interface HookSource {
  readonly hooks: readonly Hook[]
}

/** Follows the configurations of a kind. */
export function followHooks(client: ServerClient, resource: Resource): HookSource {
  const configurations = new Map<string, readonly Hook[]>()
  let all: readonly Hook[] | undefined = []
  client.onChange<WebhookConfiguration>(resource, ({ type, object }) => {
    const name = object.metadata.name ?? ''
    if (type === 'DELETED') configurations.delete(name)
    else configurations.set(name, hooksOf(name, object))
    all = undefined
  })
  return {
    get hooks() {
      all ??= [...configurations].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, hooks]) => hooks)
      return all
    },
  }
}

const hooksOf = (configuration: string, { webhooks = [] }: WebhookConfiguration): Hook[] =>
  webhooks.map((webhook, i) => ({
    ...webhook,
    id: `${configuration}/${webhook.name}/${i}`,
    criteria: {
      rules: webhook.rules ?? [],
      ...(webhook.matchPolicy ? { matchPolicy: webhook.matchPolicy } : {}),
      ...(webhook.namespaceSelector ? { namespaceSelector: webhook.namespaceSelector } : {}),
      ...(webhook.objectSelector ? { objectSelector: webhook.objectSelector } : {}),
    },
  }))
