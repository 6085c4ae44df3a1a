import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const css = readFileSync(new URL('theme.css', import.meta.url), 'utf8')
const pairs = [...css.matchAll(/--([\w-]+): light-dark\((#[\da-f]{6}), (#[\da-f]{6})\);/g)]
const light = new Map(pairs.map(([, name = '', value = '']) => [name, value]))
const dark = new Map(pairs.map(([, name = '', , value = '']) => [name, value]))

/** By WCAG's formula. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (lighter + 0.05) / (darker + 0.05)
}

describe.each([
  ['light', light],
  ['dark', dark],
])('in %s', (_, colours) => {
  test.each([
    ['ink', 'ground'],
    ['ink', 'surface'],
    ['ink', 'raised'],
    ['muted', 'surface'],
    ['muted', 'ground'],
    ['accent', 'surface'],
    ['accent', 'accent-soft'],
    ['accent-ink', 'accent'],
    ['bad', 'surface'],
    ['ink', 'bad-soft'],
    ['ink', 'good-soft'],
    ['ink', 'busy-soft'],
  ])('%s can be read on %s', (text, ground) => {
    expect(contrast(colours.get(text) ?? '#000000', colours.get(ground) ?? '#000000')).toBeGreaterThanOrEqual(4.5)
  })
})
