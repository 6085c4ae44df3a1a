import { expect, test } from 'vitest'
import { parseManifest } from '../manifests.ts'

const kind = 'apiVersion: v1\nkind: ConfigMap\n'

test.each([
  [
    `${kind}metadata:\n  name: a\n   labels: x\n`,
    'Nested mappings are not allowed in compact mappings: are this line and the next indented alike?\n  a.yaml:4:9: name: a',
  ],
  [
    `${kind}---\n${kind}metadata:\n\tname: a\n`,
    'Tabs are not allowed as indentation: indent with spaces\n  a.yaml:7:1: name: a',
  ],
  [`${kind}---\n${kind}data: {}\ndata: {}\n`, 'key "data" already set in map\n  a.yaml:7: data: {}'],
  [
    '{\n "apiVersion": "v1",\n "kind": "ConfigMap"\n "data": {}\n}',
    "Expected ',' or '}' after property value\n  a.yaml:4:2: \"data\": {}",
  ],
  [
    'apiVersion: v1\nknd: ConfigMap\nmetadata: {}\n',
    'kind not set; if you choose to ignore these errors, turn validation off with --validate=false\n  a.yaml:2:1: knd: did you mean "kind"?',
  ],
  [
    'kind: Deployment\nmetadata: {}\n',
    'apiVersion not set; if you choose to ignore these errors, turn validation off with --validate=false\n`gantry explain deployment` says which it has',
  ],
])('of %j it is told where it is wrong', (text, said) => {
  expect(() => parseManifest(text, 'a.yaml')).toThrow(said)
})
