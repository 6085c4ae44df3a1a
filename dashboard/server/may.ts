import { askJson } from './request.ts'

/** What somebody would do, as a SelfSubjectAccessReview says it. */
export interface Deed {
  verb: string
  group: string
  resource: string
  subresource?: string
  namespace: string
  name: string
}

/** Whether the user of the session may do it. */
export async function askMay(resourceAttributes: Deed, signal: AbortSignal): Promise<boolean> {
  const review = await askJson<{ status?: { allowed?: boolean } }>(
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    {
      method: 'POST',
      body: JSON.stringify({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes },
      }),
      signal,
    },
  )
  return review.status?.allowed === true
}
