import { expect, test } from 'vitest'
import { toKyaml } from './kyaml.ts'

const texts = {
  plain: 'a b',
  number: '1',
  empty: '',
  quote: 'say "x" \\ it\'s',
  tab: 'a\tb',
  bell: '\u0007\u001b\u00a0\u2028',
  control: '\u0001',
  smile: '🙂 é',
  lines: 'one\n  two\n',
  open: 'one\ntwo',
  first: ' one\n\ntwo\n',
  blank: '\n',
  '1e3': 'k',
  null: 'k',
  'a.b-c_d': 'k',
  '-dash': 'k',
  cr: 'a\r\nb',
}

// What kubectl prints of the same object.
const shownTexts = String.raw`---
{
  "-dash": "k",
  "1e3": "k",
  a.b-c_d: "k",
  bell: "\a\e\_\L",
  blank: "\
     \n\
    ",
  control: "\x01",
  cr: "\
     a\r\n\
     b\
    ",
  empty: "",
  first: "\
    \ one\n\
     \n\
     two\n\
    ",
  lines: "\
     one\n\
    \  two\n\
    ",
  "null": "k",
  number: "1",
  open: "\
     one\n\
     two\
    ",
  plain: "a b",
  quote: "say \"x\" \\ it's",
  smile: "🙂 é",
  tab: "a	b",
}
`

test('texts are quoted, those of several lines line by line, and names only where they must be', () => {
  expect(toKyaml(texts)).toBe(shownTexts)
})

test('brackets tell what is inside of what', () => {
  const value = {
    hostNetwork: false,
    containers: [
      { name: 'a', args: ['x', 'yes', '1\n2'], env: [{ name: 'A', value: '1' }, { name: 'B' }], ports: [] },
      { name: 'b', resources: {}, lifecycle: null, left: undefined },
    ],
    seconds: 30,
  }
  expect(toKyaml(value)).toBe(String.raw`---
{
  containers: [{
    args: [
      "x",
      "yes",
      "\
         1\n\
         2\
        ",
    ],
    env: [{
      name: "A",
      value: "1",
    }, {
      name: "B",
    }],
    name: "a",
    ports: [],
  }, {
    lifecycle: null,
    name: "b",
    resources: {},
  }],
  hostNetwork: false,
  seconds: 30,
}
`)
})
