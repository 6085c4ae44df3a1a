import type { IncomingHttpHeaders } from 'node:http'
import { type Duplex, pipeline, type Readable } from 'node:stream'
import { createDeflate, createGunzip, createGzip, createInflate } from 'node:zlib'
import { RewritingStream } from 'parse5-html-rewriting-stream'

/** Where HTML names other places. */
const linkAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
}

/** How a page in this encoding is read and written. */
const codecs: Readonly<Record<string, { decode: () => Duplex; encode: () => Duplex }>> = {
  gzip: { decode: createGunzip, encode: createGzip },
  deflate: { decode: createInflate, encode: createDeflate },
}

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
  /^text\/html\b/i.test(type) && (encoding === '' || Object.hasOwn(codecs, encoding))

/** The page with its links as clients have to follow them, encoded as it came. */
export function withProxiedLinks(answer: Readable & { headers: IncomingHttpHeaders }, at: ProxiedAt): Readable {
  const codec = codecs[answer.headers['content-encoding'] ?? '']
  const source = codec ? joined(answer, codec.decode()) : answer
  const page = new RewritingStream()
  page.on('startTag', (tag, raw) => {
    const names = linkAttributes[tag.tagName]
    let changed = false
    for (const attribute of tag.attrs) {
      if (!names?.includes(attribute.name)) continue
      const link = proxiedLink(attribute.value, at)
      changed ||= link !== attribute.value
      attribute.value = link
    }
    if (changed) page.emitStartTag(tag)
    else page.emitRaw(raw)
  })
  source.setEncoding('utf8')
  const rewritten = joined(source, page)
  return codec ? joined(rewritten, codec.encode()) : rewritten
}

/** A failure of one ends the other, whose reader hears of it. */
function joined<T extends Duplex>(source: Readable, target: T): T {
  pipeline(source, target, () => {})
  return target
}
