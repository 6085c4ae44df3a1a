import { randomUUID } from 'node:crypto'
import type { WebhookConversion } from '../../../../api/generated/types.ts'
import { internalServerError } from '../../../../api/machinery/errors.ts'
import type { AnyObject } from '../../../../api/machinery/object.ts'
import type { WebhookCaller } from '../../webhooks/call.ts'

/** What a converter is asked about. */
export interface Conversion {
  kind: string
  webhook: WebhookConversion
}

const timeoutSeconds = 30

/**
 * Has a webhook bring objects into a version, all of them in one question. Throws a 500 that says what went wrong, as
 * upstream does. Those that are in the version already are not asked about.
 */
export async function convertByWebhook(
  { kind, webhook }: Conversion,
  caller: WebhookCaller,
  objects: readonly AnyObject[],
  apiVersion: string,
): Promise<AnyObject[]> {
  const asked = objects.filter((object) => object.apiVersion !== apiVersion)
  if (asked.length === 0) return [...objects]
  const about = `${asked[0]?.apiVersion}, Kind=${kind}`
  const fail = (why: string) => internalServerError(`conversion webhook for ${about} failed: ${why}`)
  const spoken = webhook.conversionReviewVersions.find((version) => version === 'v1' || version === 'v1beta1')
  const review = {
    kind: 'ConversionReview',
    apiVersion: `apiextensions.k8s.io/${spoken}`,
    request: { uid: randomUUID(), desiredAPIVersion: apiVersion, objects: asked },
  }
  let answer: unknown
  try {
    answer = await caller.call(webhook.clientConfig ?? {}, review, timeoutSeconds)
  } catch (error) {
    throw fail((error as Error).message)
  }
  const outcome = readAnswer(answer, review)
  if ('fault' in outcome) throw fail(outcome.fault)
  const { converted } = outcome
  if (converted.length !== asked.length) {
    throw internalServerError(
      `conversion webhook for ${about} returned ${converted.length} objects, expected ${asked.length}`,
    )
  }
  for (const [i, object] of converted.entries()) {
    const fault = faultOf(object, asked[i] as AnyObject, apiVersion, kind)
    if (fault) {
      throw internalServerError(
        `conversion webhook for ${about} returned invalid converted object at index ${i}: ${fault}`,
      )
    }
  }
  const next = converted.values()
  return objects.map((object) =>
    object.apiVersion === apiVersion ? object : withMetadataOf(next.next().value as AnyObject, object),
  )
}

interface Review {
  apiVersion: string
  request: { uid: string }
}

interface ReviewAnswer {
  kind?: string
  apiVersion?: string
  response?: {
    uid?: string
    result?: { status?: string; message?: string }
    convertedObjects?: AnyObject[]
  }
}

function readAnswer(answer: unknown, { apiVersion, request }: Review): { converted: AnyObject[] } | { fault: string } {
  const { kind, apiVersion: spoken, response } = (answer ?? {}) as ReviewAnswer
  const isV1 = apiVersion.endsWith('/v1')
  if (isV1 && (kind !== 'ConversionReview' || spoken !== apiVersion)) {
    return {
      fault: `expected webhook response of ${apiVersion}, Kind=ConversionReview, got ${spoken ?? ''}, Kind=${kind ?? ''}`,
    }
  }
  if (!response) return { fault: 'no response provided' }
  if (isV1 && response.uid !== request.uid) {
    return { fault: `expected response.uid=${JSON.stringify(request.uid)}, got ${JSON.stringify(response.uid ?? '')}` }
  }
  const { status = '', message = '' } = response.result ?? {}
  if (status !== 'Success') return { fault: message || `response.result.status was '${status}', not 'Success'` }
  return { converted: response.convertedObjects ?? [] }
}

function faultOf(
  object: AnyObject | undefined,
  asked: AnyObject,
  apiVersion: string,
  kind: string,
): string | undefined {
  if (object?.apiVersion !== apiVersion) {
    return `invalid groupVersion (expected ${apiVersion}, received ${object?.apiVersion ?? ''})`
  }
  if (object.kind !== kind) return `invalid kind (expected ${kind}, received ${object.kind ?? ''})`
  const [meta, before] = [object.metadata ?? {}, asked.metadata]
  for (const field of ['name', 'namespace', 'uid'] as const) {
    if ((meta[field] ?? '') !== (before[field] ?? ''))
      return `must have the same ${field}: ${before[field]} != ${meta[field]}`
  }
  return undefined
}

/** Of the metadata a converter decides labels and annotations alone. */
function withMetadataOf(converted: AnyObject, original: AnyObject): AnyObject {
  const { labels: _l, annotations: _a, ...kept } = original.metadata
  const { labels, annotations } = converted.metadata
  return {
    ...converted,
    metadata: { ...kept, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
  }
}
