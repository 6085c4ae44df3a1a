import { expect, test } from 'vitest'
import { inNaturalOrder } from './natural-order.ts'
import { toYaml } from './yaml.ts'

const long = 'a sentence of several words '.repeat(4)

const texts = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'texts',
    namespace: 'theirs',
    annotations: { long: long.trim(), quoted: `it's: ${long}`.trim() },
  },
  data: {
    plain: long.trim(),
    spaces: `${'two  spaces  '.repeat(8)}end`,
    double: `tab\there ${long}`.trim(),
    ends: long,
    lines: 'one\n\n  two\n',
    open: 'one\ntwo',
    more: 'one\n\n',
    first: ' one\ntwo\n',
    mixed: 'one \ntwo\n',
    yes: 'yes',
    '1e3': '1e3',
    date: '2001-01-01',
    empty: '',
    space: ' x',
    colon: 'a: b',
    url: 'a:b',
    hash: 'a #b',
    dash: '- a',
    '.': '.',
    '..': '..',
    _: '_',
    inf: 'inf',
    none: '~',
    smile: '🙂',
    é: 'é',
    quote: "it's",
    dq: 'say "x"',
    key10: '',
    key9: '',
    'key-1': '',
    keya: '',
    Key: '',
  },
}

// What kubectl prints of the same object.
const shown = String.raw`apiVersion: v1
data:
  .: .
  ..: ..
  _: _
  "1e3": "1e3"
  Key: ""
  colon: 'a: b'
  dash: '- a'
  date: "2001-01-01"
  double: "tab\there a sentence of several words a sentence of several words a sentence
    of several words a sentence of several words"
  dq: say "x"
  empty: ""
  ends: 'a sentence of several words a sentence of several words a sentence of several
    words a sentence of several words '
  first: |2
     one
    two
  hash: 'a #b'
  inf: inf
  key-1: ""
  key9: ""
  key10: ""
  keya: ""
  lines: |
    one

      two
  mixed: "one \ntwo\n"
  more: |+
    one

  none: "~"
  open: |-
    one
    two
  plain: a sentence of several words a sentence of several words a sentence of several
    words a sentence of several words
  quote: it's
  smile: "\U0001F642"
  space: ' x'
  spaces: two  spaces  two  spaces  two  spaces  two  spaces  two  spaces  two  spaces  two  spaces  two  spaces  end
  url: a:b
  "yes": "yes"
  é: é
kind: ConfigMap
metadata:
  annotations:
    long: a sentence of several words a sentence of several words a sentence of several
      words a sentence of several words
    quoted: 'it''s: a sentence of several words a sentence of several words a sentence
      of several words a sentence of several words'
  name: texts
  namespace: theirs
`

test('texts are quoted, broken and put in order as kubectl does it', () => {
  expect(toYaml(texts)).toBe(shown)
})

test('lists stand in line with their key, and what is in them two further', () => {
  const value = { a: [{ b: 1, c: [[1, 'x'], []] }, 'text', 'one\ntwo'], d: {}, e: { g: null, h: undefined, i: true } }
  expect(toYaml(value)).toBe(`a:
- b: 1
  c:
  - - 1
    - x
  - []
- text
- |-
  one
  two
d: {}
e:
  g: null
  i: true
`)
  expect(toYaml('text')).toBe('text\n')
  expect(toYaml({ t: 'f', y: 'n' })).toBe('t: f\n"y": "n"\n')
})

test('numbers in names go by their size, other signs before letters', () => {
  const names = ['a10', 'a9', 'ab', 'a-', 'B', 'a1.b', 'a.b', 'a12', 'a']
  expect(names.sort(inNaturalOrder)).toEqual(['B', 'a', 'a-', 'a.b', 'a1.b', 'a9', 'a10', 'a12', 'ab'])
})
