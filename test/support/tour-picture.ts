import { readPage } from './doc-page.ts'

const columns = 104
const rows = 24
const lineHeight = 17
const padding = 14
const width = columns * 7.3 + 2 * padding
const height = rows * lineHeight + 2 * padding
/** How long what has come is looked at. */
const readMs = (lines: number) => 700 + 180 * lines
const typedMs = 350

interface Line {
  atMs: number
  text: string
  isCommand: boolean
}

/** The README's tour as a picture that plays like a recorded terminal: the commands of its transcript and what they print. */
export function tourPicture(readme: string): string {
  const [, after = ''] = readme.split('\n## Five minutes\n')
  const [tour = ''] = after.split('\n## ')
  const lines = timed(tour)
  const endMs = (lines.at(-1)?.atMs ?? 0) + 5000
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>A terminal: ${lines.filter(({ isCommand }) => isCommand).length} commands and what they print</title>`,
    '<style>',
    'text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d6deeb;white-space:pre}',
    '.c{fill:#7fdbca;font-weight:600}',
    '.l{animation:in 1ms var(--t) both}',
    `.s{animation:up ${endMs}ms step-end both}`,
    '@keyframes in{from{opacity:0}}',
    `@keyframes up{${scrolls(lines, endMs)}}`,
    // Whoever wants nothing to move gets the end of it.
    `@media(prefers-reduced-motion:reduce){.l,.s{animation:none}.s{transform:translateY(${-lastScroll(lines) * lineHeight}px)}}`,
    '</style>',
    `<rect width="100%" height="100%" rx="8" fill="#011627"/>`,
    `<clipPath id="window"><rect width="${Math.round(width - 2 * padding)}" height="${rows * lineHeight}"/></clipPath>`,
    `<g transform="translate(${padding} ${padding})" clip-path="url(#window)"><g class="s">`,
    ...lines.map(
      ({ atMs, text, isCommand }, i) =>
        `<text class="l${isCommand ? ' c' : ''}" style="--t:${atMs}ms" y="${(i + 1) * lineHeight - 4}">${escaped(fitting(text))}</text>`,
    ),
    '</g></g>',
    '</svg>\n',
  ].join('\n')
}

function timed(tour: string): Line[] {
  const lines: Line[] = []
  let atMs = 0
  for (const step of readPage(tour)) {
    if (step.kind !== 'command') continue
    for (const [i, text] of step.text.split('\n').entries()) {
      lines.push({ atMs, text: i === 0 ? `$ ${text}` : text, isCommand: true })
    }
    atMs += typedMs
    const shown = (step.shown ?? []).filter((text) => text !== '…')
    for (const text of shown) lines.push({ atMs, text, isCommand: false })
    atMs += readMs(shown.length)
  }
  return lines
}

/** The newest line is always in sight. */
function scrolls(lines: readonly Line[], endMs: number): string {
  const steps = new Map<number, number>([[0, 0]])
  for (const [i, { atMs }] of lines.entries()) steps.set(atMs, Math.max(0, i + 1 - rows))
  const frames = [...steps].map(([atMs, by]) => frame((atMs / endMs) * 100, by))
  return [...frames, frame(100, lastScroll(lines))].join('')
}

const lastScroll = (lines: readonly Line[]): number => Math.max(0, lines.length - rows)

const frame = (percent: number, by: number) => `${percent.toFixed(2)}%{transform:translateY(${-by * lineHeight}px)}`

const fitting = (text: string): string => (text.length > columns ? `${text.slice(0, columns - 1)}…` : text)

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
