import type { MutatingWebhook, ValidatingWebhook } from '../generated/types.ts'
import { child, duplicate, type FieldError, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import { validateLabelSelector } from '../machinery/labels.ts'
import { isDNS1035Label, isFullyQualifiedName } from '../machinery/names.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Column } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import {
  defaultRules,
  failurePolicies,
  matchPolicies,
  reinvocationPolicies,
  validateMatchConditions,
  validateRule,
} from './rules.ts'
import { defaultWebhookClient, validateWebhookClient } from './webhook-client.ts'

/** A webhook of either kind. */
export type Webhook = ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>

/** What both webhook configurations have in common. */
export interface WebhookConfiguration extends KubeObject {
  webhooks?: Webhook[]
}

/** Fills in what a webhook may leave out. */
export function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= 10
  defaultRules(webhook.rules)
  defaultWebhookClient(webhook.clientConfig)
}

const reviewVersions = ['v1', 'v1beta1']
const sideEffects = ['None', 'NoneOnDryRun']
const allSideEffects = ['None', 'NoneOnDryRun', 'Some', 'Unknown']

/** Rules a configuration that got in before they were made need not keep. */
interface Leniency {
  anySideEffects: boolean
  anyReviewVersion: boolean
  repeatedNames: boolean
  allowInvalidLabelValue: boolean
  sameConditions: boolean
  knownExpressions: ReadonlySet<string>
}

/** Faults of a webhook configuration. */
export function validateWebhooks(
  { webhooks = [] }: WebhookConfiguration,
  old: WebhookConfiguration | undefined,
): FieldError[] {
  const leniency = leniencyFor(webhooks, old?.webhooks ?? [], old !== undefined)
  const names = new Set<string>()
  return webhooks.flatMap((webhook, i) => {
    const path = index('webhooks', i)
    const errors = [
      ...validateWebhook(webhook, path, leniency),
      ...validateReviewVersions(
        webhook.admissionReviewVersions ?? [],
        child(path, 'admissionReviewVersions'),
        leniency,
      ),
    ]
    if (!leniency.repeatedNames && webhook.name) {
      if (names.has(webhook.name)) errors.push(duplicate(child(path, 'name'), webhook.name))
      names.add(webhook.name)
    }
    return errors
  })
}

function leniencyFor(webhooks: readonly Webhook[], old: readonly Webhook[], update: boolean): Leniency {
  return {
    anySideEffects: old.some((webhook) => !sideEffects.includes(webhook.sideEffects ?? '')),
    anyReviewVersion: old.some(
      ({ admissionReviewVersions: versions = [] }) =>
        versions.length > 0 && !versions.some((version) => reviewVersions.includes(version)),
    ),
    repeatedNames: new Set(old.map(({ name }) => name)).size < old.length,
    allowInvalidLabelValue: old.some(
      ({ namespaceSelector, objectSelector }) =>
        validateLabelSelector(namespaceSelector, '').length > 0 || validateLabelSelector(objectSelector, '').length > 0,
    ),
    sameConditions:
      update &&
      webhooks.length === old.length &&
      webhooks.every((webhook, i) => semanticEqual(webhook.matchConditions, old[i]?.matchConditions)),
    knownExpressions: new Set(old.flatMap(({ matchConditions = [] }) => matchConditions.map((c) => c.expression))),
  }
}

function validateWebhook(webhook: Webhook, path: string, leniency: Leniency): FieldError[] {
  const name = webhook.name ?? ''
  const at = (field: string) => child(path, field)
  const errors: FieldError[] = []
  const nameFaults = isFullyQualifiedName(name)
  if (name === '') errors.push(required(at('name')))
  else if (nameFaults.length > 0) errors.push(invalid(at('name'), name, nameFaults.join(',')))
  for (const [i, rule] of (webhook.rules ?? []).entries()) errors.push(...validateRule(rule, index(at('rules'), i)))
  const choice = (field: 'failurePolicy' | 'matchPolicy' | 'reinvocationPolicy', allowed: readonly string[]) => {
    const value = webhook[field]
    if (value !== undefined && !allowed.includes(value)) errors.push(notSupported(at(field), value, allowed))
  }
  choice('failurePolicy', failurePolicies)
  choice('matchPolicy', matchPolicies)
  const allowed = leniency.anySideEffects ? allSideEffects : sideEffects
  // Decoding makes an absent one empty.
  if (!webhook.sideEffects) {
    errors.push(required(at('sideEffects'), `must specify one of ${allowed.join(', ')}`))
  } else if (!allowed.includes(webhook.sideEffects)) {
    errors.push(notSupported(at('sideEffects'), webhook.sideEffects, allowed))
  }
  const { timeoutSeconds } = webhook
  if (timeoutSeconds !== undefined && (timeoutSeconds > 30 || timeoutSeconds < 1)) {
    errors.push(invalid(at('timeoutSeconds'), timeoutSeconds, 'the timeout value must be between 1 and 30 seconds'))
  }
  errors.push(...validateLabelSelector(webhook.namespaceSelector, at('namespaceSelector'), leniency))
  errors.push(...validateLabelSelector(webhook.objectSelector, at('objectSelector'), leniency))
  choice('reinvocationPolicy', reinvocationPolicies)
  errors.push(...validateWebhookClient(webhook.clientConfig ?? {}, at('clientConfig')))
  if (!leniency.sameConditions) {
    errors.push(...validateMatchConditions(webhook.matchConditions, at('matchConditions'), leniency.knownExpressions))
  }
  return errors
}

function validateReviewVersions(versions: readonly string[], path: string, leniency: Leniency): FieldError[] {
  if (versions.length === 0) return [required(path, `must specify one of ${reviewVersions.join(', ')}`)]
  const errors = versions.flatMap((version, i) =>
    versions.indexOf(version) < i
      ? [invalid(index(path, i), version, 'duplicate version')]
      : isDNS1035Label(version).map((message) => invalid(index(path, i), version, message)),
  )
  if (!leniency.anyReviewVersion && !versions.some((version) => reviewVersions.includes(version))) {
    errors.push(invalid(path, versions, `must include at least one of ${reviewVersions.join(', ')}`))
  }
  return errors
}

export const webhookColumns: readonly Column<WebhookConfiguration>[] = [
  nameColumn,
  {
    name: 'Webhooks',
    type: 'integer',
    description: 'Webhooks indicates the number of webhooks registered in this configuration',
    value: ({ webhooks }) => webhooks?.length ?? 0,
  },
  ageColumn,
]
