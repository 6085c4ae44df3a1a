import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { withProxiedLinks } from './proxied-html.ts'
import { proxiedLink } from './proxied-links.ts'

const at = { host: '10.0.0.1:8080', prefix: '/api/v1/namespaces/default/pods/web/proxy' }

it.each([
  ['/style.css', `${at.prefix}/style.css`],
  ['/', `${at.prefix}/`],
  ['/find?q=/a#b', `${at.prefix}/find?q=/a#b`],
  ['http://10.0.0.1:8080/next', `${at.prefix}/next`],
  ['//10.0.0.1:8080/next', `${at.prefix}/next`],
  [`${at.prefix}/there`, `${at.prefix}/there`],
  ['next.html', 'next.html'],
  ['#top', '#top'],
  ['', ''],
  ['mailto:a@example.com', 'mailto:a@example.com'],
  ['https://example.com/a', 'https://example.com/a'],
])('a link to %s leads to %s', (link, wanted) => {
  expect(proxiedLink(link, at)).toBe(wanted)
})

it('changes links and nothing else of a page, and leaves it packed as it was', async () => {
  const page =
    '<p title="/a">&eacute;\u00e9<a class=x href="/next">on</a><img src="here.png"><script>"<a href=/no>"</script>'
  const answer = Object.assign(Readable.from([gzipSync(page)]), { headers: { 'content-encoding': 'gzip' } })
  const changed = gunzipSync(await buffer(withProxiedLinks(answer, at))).toString()
  expect(changed).toBe(page.replace('class=x href="/next"', `class="x" href="${at.prefix}/next"`))
})

it('breaks off where the server does', async () => {
  const answer = Object.assign(
    new Readable({
      read() {
        this.destroy(new Error('gone'))
      },
    }),
    { headers: {} },
  )
  await expect(buffer(withProxiedLinks(answer, at))).rejects.toThrow('gone')
})
