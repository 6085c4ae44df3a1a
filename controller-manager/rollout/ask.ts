import { type Question, serviceNamed } from '../../api/gantry/rollout-steps.ts'
import type { Service } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'

/** What came back for a question, and how to tell people. */
export interface Answer {
  yes: boolean
  said: string
}

const timeoutMs = 5000
const maxBytes = 1024 * 1024

/** Asks a service once. Whatever goes wrong is a no that says so. */
export async function ask(
  question: Question,
  findService: (namespace: string | undefined, name: string) => Live<Service> | undefined,
  signal: AbortSignal,
): Promise<Answer> {
  const url = new URL(question.ask === 'probe' ? question.url : queryUrl(question))
  const about = question.ask === 'probe' ? question.url : `${question.query} at ${question.url}`
  const address = atService(url, findService)
  if (!address) return { yes: false, said: `${about} has no service ${url.hostname} with a cluster address` }
  try {
    const response = await fetch(address, {
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    if (question.ask === 'probe' || !response.ok) {
      await response.body?.cancel()
      return { yes: question.ask === 'probe' && response.ok, said: `${about} answered ${response.status}` }
    }
    const { yes, said } = judgeResult(question, await bodyOf(response))
    return { yes, said: `${about} ${said}` }
  } catch (error) {
    signal.throwIfAborted()
    const { message, cause } = error as Error & { cause?: Error }
    return { yes: false, said: `${about} did not answer: ${cause?.message || message}` }
  }
}

type Query = Extract<Question, { ask: 'prometheus' }>

const queryUrl = ({ url, query }: Query): string =>
  `${url.replace(/\/+$/, '')}/api/v1/query?query=${encodeURIComponent(query)}`

/** The URL with the cluster address of the service that its host names; undefined where there is none. */
export function atService(
  url: URL,
  findService: (namespace: string | undefined, name: string) => Live<Service> | undefined,
): URL | undefined {
  const named = serviceNamed(url.hostname)
  const address = named && findService(named.namespace, named.name)?.spec?.clusterIP
  if (!address || address === 'None') return undefined
  const found = new URL(url)
  found.hostname = address.includes(':') ? `[${address}]` : address
  return found
}

async function bodyOf(response: Response): Promise<unknown> {
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) throw new Error('the answer is too long')
  return response.json()
}

/** Reads a result of Prometheus' query API. No data is no yes: what is not measured is not known to be well. */
export function judgeResult(bounds: Pick<Query, 'below' | 'above'>, body: unknown): Answer {
  const { below, above } = bounds
  const { data } = (body ?? {}) as { data?: { resultType?: string; result?: unknown } }
  const samples: unknown[] =
    data?.resultType === 'scalar'
      ? [data.result]
      : Array.isArray(data?.result)
        ? data.result.map((series: { value?: unknown }) => series?.value)
        : []
  const values = samples.map((sample) => (Array.isArray(sample) ? Number(sample[1]) : Number.NaN))
  if (values.length === 0) return { yes: false, said: 'has no data' }
  const wrong = values.find(
    (value) => !((below === undefined || value < below) && (above === undefined || value > above)),
  )
  if (wrong === undefined) return { yes: true, said: `is ${values.join(', ')}` }
  const wanted = [below === undefined ? [] : `below ${below}`, above === undefined ? [] : `above ${above}`].flat()
  return { yes: false, said: `is ${wrong}, not ${wanted.join(' and ')}` }
}
