import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { tourPicture } from './tour-picture.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

test('the picture of the tour shows what the README says; `npm run docs` draws it anew', async () => {
  await expect(tourPicture(readme)).toMatchFileSnapshot('../../docs/images/tour.svg')
})

test('every command of the tour is in it, in order', () => {
  const picture = tourPicture('# x\n\n## Five minutes\n\n```console\n$ one\nits <answer>\n$ two\n```\n\n## Next\n')
  const texts = [...picture.matchAll(/<text class="([^"]+)" style="--t:(\d+)ms"[^>]*>([^<]+)</g)]
  expect(texts.map(([, kind, , text]) => [kind, text])).toEqual([
    ['l c', '$ one'],
    ['l', 'its &lt;answer&gt;'],
    ['l c', '$ two'],
  ])
  const times = texts.map(([, , atMs]) => Number(atMs))
  expect(times).toEqual([...times].sort((a, b) => a - b))
})
