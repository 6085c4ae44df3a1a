import type { IncomingHttpHeaders } from 'node:http'

/** How a page may be packed for its links to be found. */
export const pageEncodings = ['gzip', 'deflate'] as const
export type PageEncoding = (typeof pageEncodings)[number]

/** Where the proxied server is, and under which path clients see it. */
export interface ProxiedAt {
  /** Host and port of the server itself. */
  host: string
  /** `/api/v1/namespaces/default/pods/web/proxy` */
  prefix: string
}

/** A link of the proxied server as clients have to follow it: paths of its own begin with the prefix. */
export function proxiedLink(link: string, { host, prefix }: ProxiedAt): string {
  const [, , named, path = '', rest = ''] = /^(https?:)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/s.exec(link) ?? []
  if (named !== undefined && named !== host) return link
  if (!path.startsWith('/')) return link
  return path.startsWith(prefix) ? `${path}${rest}` : `${prefix}${path}${rest}`
}

/** Whether an answer is a page whose links have to be made anew. */
export const isProxiedHtml = ({ 'content-type': type = '', 'content-encoding': encoding = '' }: IncomingHttpHeaders) =>
  /^text\/html\b/i.test(type) && ['', ...pageEncodings].includes(encoding)
