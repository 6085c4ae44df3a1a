import type { IncomingHttpHeaders } from 'node:http'
import { type Duplex, pipeline, type Readable } from 'node:stream'
import { createDeflate, createGunzip, createGzip, createInflate } from 'node:zlib'
import { RewritingStream } from 'parse5-html-rewriting-stream'
import { type PageEncoding, type ProxiedAt, proxiedLink } from './proxied-links.ts'

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
const codecs: Readonly<Record<PageEncoding, { decode: () => Duplex; encode: () => Duplex }>> = {
  gzip: { decode: createGunzip, encode: createGzip },
  deflate: { decode: createInflate, encode: createDeflate },
}

/** The page with its links as clients have to follow them, encoded as it came. */
export function withProxiedLinks(answer: Readable & { headers: IncomingHttpHeaders }, at: ProxiedAt): Readable {
  const encoding = answer.headers['content-encoding'] as PageEncoding | undefined
  const codec = encoding && codecs[encoding]
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
