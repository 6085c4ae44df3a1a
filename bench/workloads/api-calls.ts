import type { Client } from '../../client/client.ts'

/** What the API server has been asked, by verb and resource: `POST pods`. */
export type Counts = Map<string, number>

/** Reads the counts of requests from the API server's metrics, which have upstream's names. */
export class ApiCalls {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** Writes only: reads and watches are the caches' own affair. */
  async counts(): Promise<Counts> {
    const counts: Counts = new Map()
    const answer = await this.#client.raw('GET', '/metrics', {})
    let text = ''
    for await (const chunk of answer) text += chunk
    for (const [, labels = '', value] of text.matchAll(/^apiserver_request_total\{([^}]*)\} (\S+)$/gm)) {
      const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? ''
      if (!/^(POST|PUT|PATCH|APPLY|DELETE|DELETECOLLECTION)$/.test(label('verb'))) continue
      const subresource = label('subresource')
      const what = `${label('verb')} ${label('resource')}${subresource ? `/${subresource}` : ''}`
      counts.set(what, (counts.get(what) ?? 0) + Number(value))
    }
    return counts
  }
}
