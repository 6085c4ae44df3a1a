import { expect, test } from 'vitest'
import { parseGoTemplate } from './template.ts'

const pod = {
  kind: 'Pod',
  metadata: { name: 'web', labels: { b: '2', a: '1' } },
  spec: {
    replicas: 3,
    big: 1234567,
    half: 0.5,
    containers: [{ name: 'app' }, { name: 'side', args: ['x', 'y'] }],
    off: false,
  },
  data: { text: 'aGVsbG8=', html: '<a href="x">\'&' },
  nothing: null,
}

test.each<[template: string, text: string]>([
  ['{{.metadata.name}}', 'web'],
  ['{{ .metadata.name -}}  \n {{- .kind }} ', 'webPod '],
  ['a{{/* a comment */}}b {{- /* another */ -}} c', 'abc'],
  ['{{.missing}} {{.missing.below}} {{.nothing}}', '<no value> <no value> <no value>'],
  ['{{.spec.replicas}} {{.spec.big}} {{.spec.half}} {{.spec.off}}', '3 1234567 0.5 false'],
  ['{{.metadata.labels}} {{.spec.containers}}', 'map[a:1 b:2] [map[name:app] map[args:[x y] name:side]]'],
  ['{{range .spec.containers}}{{.name}};{{end}}', 'app;side;'],
  [
    '{{range $i, $c := .spec.containers}}{{$i}}={{$c.name}} of {{$.metadata.name}};{{end}}',
    '0=app of web;1=side of web;',
  ],
  ['{{range $key, $value := .metadata.labels}}{{$key}}={{$value}} {{end}}', 'a=1 b=2 '],
  ['{{range .missing}}x{{else}}none{{end}}', 'none'],
  ['{{range .spec.containers}}{{if eq .name "app"}}{{continue}}{{end}}{{.name}}{{break}}{{end}}', 'side'],
  ['{{if .missing}}a{{else if .spec.off}}b{{else}}c{{end}}', 'c'],
  ['{{with .spec}}{{.replicas}}{{end}}{{with .missing}}x{{else with .kind}}{{.}}{{end}}', '3Pod'],
  ['{{$n := 1}}{{range .spec.containers}}{{$n = .name}}{{end}}{{$n}}', 'side'],
  ['{{if and .kind (not .missing) (or .missing .spec)}}yes{{end}}', 'yes'],
  ['{{and .missing (index .spec "x" 5)}}{{or .kind (len 5)}}', '<no value>Pod'],
  [
    '{{eq .kind "Pod" "Node"}} {{ne .kind "Pod"}} {{lt 1 2}} {{le "a" "a"}} {{gt 1.5 2}} {{ge 2 2}}',
    'true false true true false true',
  ],
  ['{{eq .spec.replicas 3}} {{gt (len .spec.containers) 1}} {{len "héé"}}', 'true true 5'],
  [
    '{{index .spec.containers 1 "name"}} {{(index .spec.containers 0).name}} {{index .metadata.labels "a"}}',
    'side app 1',
  ],
  ['{{slice .metadata.name 1}} {{slice .metadata.name 1 2}}', 'eb e'],
  [
    '{{printf "%s has %d of %5.2f %q|%-5s|%05d|%v|%t|%x|%%" .kind .spec.replicas 1.5 "q\\n" "l" 7 .metadata.labels true 255}}',
    'Pod has 3 of  1.50 "q\\n"|l    |00007|map[a:1 b:2]|true|ff|%',
  ],
  [
    '{{printf "%d %s" "x"}} {{printf "%s" "a" 1}} {{printf "%z" 1}}',
    '%!d(string=x) %!s(MISSING) a%!(EXTRA int=1) %!z(int=1)',
  ],
  ['{{.metadata.name | printf "%s-%s" "x" | len}}', '5'],
  ['{{print 1 2 "a" "b" 3}} {{println "a" 1}}', '1 2ab3 a 1\n'],
  [
    '{{html .data.html}} {{js .data.html}} {{urlquery "a b&c(d)"}}',
    '&lt;a href=&#34;x&#34;&gt;&#39;&amp; \\u003Ca href\\u003D\\"x\\"\\u003E\\\'\\u0026 a+b%26c%28d%29',
  ],
  [
    '{{define "one"}}[{{.name}}{{template "two"}}]{{end}}{{define "two"}}!{{end}}{{range .spec.containers}}{{template "one" .}}{{end}}',
    '[app!][side!]',
  ],
  ['{{block "b" .metadata}}{{.name}}{{end}}', 'web'],
  [
    '{{base64decode .data.text}} {{exists .spec "replicas"}} {{exists .spec "x" 0}} {{exists .spec.containers 2}}',
    'hello true false false',
  ],
  [
    '{{"a\\tb\\u00e9"}}{{`raw\\n`}}{{\'a\'}} {{0x10}} {{1_000}} {{1e3}} {{nil | print}}',
    'a\tbéraw\\n97 16 1000 1000 <nil>',
  ],
  ['{{- range 3}}{{.}}{{end}}', '012'],
])('%s', (template, text) => {
  expect(parseGoTemplate(template).print(pod)).toBe(text)
})

test.each<[template: string, message: string]>([
  ['a\n  {{if .x}}', 'line 2, column 5: unclosed {{if}}: end it with {{end}}'],
  ['{{.x', 'line 1, column 1: unclosed action: {{ without its }}'],
  ['{{end}}', 'line 1, column 3: unexpected {{end}}: there is nothing to end'],
  ['{{pritnf "x"}}', 'line 1, column 3: function "pritnf" not defined. Did you mean "printf"?'],
  ['{{metadata.name}}', 'line 1, column 3: function "metadata" not defined; a field begins with a dot: .metadata'],
  ['{{"x}}', 'line 1, column 3: unterminated quoted string'],
  ['{{(.x}}', 'line 1, column 3: unclosed left paren'],
  ['{{.a .b}}', 'line 1, column 6: only a function takes arguments, and what is before ".b" is none'],
  ['{{}}', 'missing value'],
  ['{{break}}', '{{break}} outside {{range}}'],
  ['{{template "x"}}', 'template "x" not defined'],
  ['{{.metadata.name.first}}', 'line 1, column 3: can\'t evaluate field first in the string "web"'],
  ['{{.spec.containers.name}}', 'range over it, or take one with index'],
  ['{{range .kind}}{{end}}', 'range can\'t iterate over the string "Pod"'],
  ['{{index .spec.containers 7}}', 'error calling index: index out of range: 7, and there are 2'],
  ['{{eq .kind 1}}', 'error calling eq: incompatible types for comparison'],
  ['{{len}}', 'wrong number of args for len: want 1 got 0'],
  ['{{$x}}', 'undefined variable "$x"'],
  ['{{define "a"}}{{template "a"}}{{end}}{{template "a"}}', 'exceeded maximum template depth'],
  ['{{base64decode "*"}}', 'base64 decode failed'],
])('%s is refused', (template, message) => {
  expect(() => parseGoTemplate(template).print(pod)).toThrow(message)
})

test('what is missing is a failure where it must not be missing', () => {
  const strict = parseGoTemplate('{{.metadata.nmae}}', { allowMissing: false })
  expect(() => strict.print(pod)).toThrow('map has no entry for key "nmae". Did you mean "name"?')
})
