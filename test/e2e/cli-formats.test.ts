import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { besideKubectl } from '../support/beside-kubectl.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { namespaceWithAccount } from './namespace.ts'

// Forms in which objects are shown, beside kubectl's, byte for byte.

let server: TestServer
const { gantry, kubectl } = besideKubectl(() => server)

const texts = {
  plain: 'a',
  empty: '',
  lines: 'one\n  two\n\ttab\n\n"quoted" \\ back\n',
  open: 'first\nlast',
  odd: '\u0007\u0000\u001b\u00a0\u2028 é 🙂 \u200b',
  yes: 'yes',
  'a.b-c_d': 'x',
  on: 'x',
  '1_000': 'x',
  '0x1f': 'x',
  '1e3': 'x',
  '2001-01-01': 'x',
  '-dash': 'x',
  null: 'x',
  html: '<a href="x">\'&',
  encoded: 'aGVsbG8=',
}

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', labels: { app: 'web', tier: 'front' }, annotations: {} },
  spec: {
    replicas: 3,
    revisionHistoryLimit: 1234567,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          { name: 'app', image: 'app:1', args: ['-v', 'yes'], ports: [{ containerPort: 80 }] },
          { name: 'side', image: 'side:1', resources: { limits: { cpu: '1', memory: '1Gi' } } },
        ],
      },
    },
  },
}

beforeAll(async () => {
  server = await startServer()
  await namespaceWithAccount(server, 'forms')
  await kubectl('config set-context --current --namespace=forms')
  await kubectl('create -f -', { input: JSON.stringify(deployment) })
  await kubectl('create -f -', {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'texts' }, data: texts }),
  })
  writeFileSync(join(server.directory, 'web.json'), JSON.stringify(deployment))
  writeFileSync(join(server.directory, 'go.tmpl'), '{{range .items}}{{.metadata.name}}{{"\\n"}}{{end}}')
  writeFileSync(join(server.directory, 'path.tmpl'), '{.items[*].metadata.name}')
  writeFileSync(
    join(server.directory, 'columns.txt'),
    'NAME          IMAGE\n.metadata.name .spec.template.spec.containers[*].image\n',
  )
})

afterAll(() => server?.stop())

async function same(args: readonly string[]): Promise<void> {
  const all = args.map((word) => word.replace('DIR', server.directory))
  const [theirs, ours] = await Promise.all([kubectl(all), gantry(all)])
  expect(ours.stdout, ours.stderr).toBe(theirs.stdout)
  expect(ours.code, theirs.stderr).toBe(theirs.code)
}

describe('kyaml, json and yaml', () => {
  test.each([
    'get configmap texts -o kyaml',
    'get configmap texts -o yaml',
    'get deployment web -o kyaml',
    'get deployments,configmaps -o kyaml',
    'get deployment web -o kyaml --show-managed-fields',
    'label deployment web tier=front --overwrite -o kyaml',
    'annotate deployment web a=b --overwrite --dry-run=server -o json',
    'patch deployment web -p {"metadata":{"labels":{"x":"y"}}} --dry-run=server -o yaml',
    'get deployment web -o custom-columns-file=DIR/columns.txt',
    'get deployments -o jsonpath-file=DIR/path.tmpl',
    'get deployment web -o jsonpath-as-json={.spec.template.spec.containers[*].name}',
    'get deployment web -o jsonpath --template={.metadata.name}',
    'get deployment web -o jsonpath={.metadata.nothing} --allow-missing-template-keys=false',
  ])('%s', (line) => same(line.split(' ')))
})

describe('go-template', () => {
  test.each([
    '{{.metadata.name}}',
    '{{.metadata}}'.replace('metadata', 'spec.selector'),
    '{{.spec.replicas}} {{.spec.revisionHistoryLimit}} {{.spec.nothing}} {{.spec.nothing.at.all}}',
    '{{range .spec.template.spec.containers}}{{.name}} {{.image}}{{"\\n"}}{{end}}',
    '{{range $i, $c := .spec.template.spec.containers}}{{if $i}}, {{end}}{{$c.name}}{{end}}',
    '{{range $k, $v := .metadata.labels}}{{$k}}={{$v}};{{else}}none{{end}}',
    '{{with .metadata.labels}}{{.app}}{{end}}{{with .nothing}}x{{else}}no{{end}}',
    '{{if eq .kind "Deployment"}}yes{{else if .x}}x{{else}}no{{end}}',
    '{{len .spec.template.spec.containers}} {{index .spec.template.spec.containers 1 "name"}}',
    '{{printf "%s/%s %v %q %-8s| %5d" .kind .metadata.name .metadata.labels .kind .kind .spec.replicas}}',
    '{{(index .spec.template.spec.containers 0).args}} {{slice .kind 1 3}}',
    '{{define "c"}}[{{.name}}]{{end}}{{range .spec.template.spec.containers}}{{template "c" .}}{{end}}',
    '{{- /* a comment */ -}}  {{ .kind }}  {{- "x" -}}  {{println .kind 1 true nil}}{{print 1 2 "a" "b" 3 nil}}',
    '{{.spec.template.spec}}',
    '{{html "<a&\'\\"\\">"}} {{js "it\'s <b> & =\\n"}} {{urlquery "a b&c(d)!*é"}}',
    '{{exists .spec "replicas"}} {{exists .spec "nothing" 0}} {{base64decode "aGVsbG8="}}',
    '{{and .kind .nothing}} {{or .nothing .kind}} {{not .kind}} {{ne 1 2}} {{lt "a" "b"}} {{ge 2.5 1.5}}',
    '{{$x := .kind}}{{range .spec.template.spec.containers}}{{$x = .name}}{{end}}{{$x}} {{range 2}}{{.}}{{end}}',
  ])('%s', (template) => same(['get', 'deployment', 'web', '-o', `go-template=${template}`]))

  test.each([
    ['get', 'deployments', '-o', 'go-template-file=DIR/go.tmpl'],
    ['get', 'deployments', '--template', '{{len .items}}'],
    ['create', 'configmap', 'made', '--from-literal=a=b', '--dry-run=client', '-o', 'go-template={{.data.a}}'],
    ['label', 'deployment', 'web', 'tier=front', '--overwrite', '-o', 'go-template={{.metadata.labels}}'],
  ])('%s %s %s %s', (...args) => same(args))

  test('mistakes are told with their place', async () => {
    for (const [template, words] of [
      ['{{.metadata.name', 'error parsing template: line 1, column 1: unclosed action'],
      ['{{.metadata.name.x}}', "error executing template: line 1, column 3: can't evaluate field x"],
    ] as const) {
      const ours = await gantry(['get', 'deployment', 'web', '-o', `go-template=${template}`])
      expect(ours.stderr).toContain(words)
      expect(ours.code).toBe(1)
    }
  })
})

// Both try it, and keep nothing.
describe('changes that are only tried, or made of files', () => {
  test.each([
    'set env deployment web A=b C=d -c app --dry-run=server -o jsonpath={.spec.template.spec.containers[*].env}',
    'set resources deploy web --limits=cpu=0.5 --dry-run=server -o jsonpath={.spec.template.spec.containers[*].resources}',
    'set image deployment web *=x --dry-run=client',
    'set env -f DIR/web.json --local A=b -o jsonpath={.spec.template.spec.containers[*].env}',
    'patch -f DIR/web.json --local -p {"spec":{"replicas":7}} -o jsonpath={.spec.replicas}',
    'label -f DIR/web.json --local a=b -o jsonpath={.metadata.labels}',
    'get deployment web --subresource=scale -o json',
    'rollout restart deployment --field-manager=me -o name',
    'scale deployment web --replicas=3 -o jsonpath={.spec.replicas}',
    'apply -f DIR/web.json --prune --all --prune-allowlist=core/v1/ConfigMap --dry-run=server',
    'auth whoami --as=jane --as-uid=7 --as-user-extra=team=shop -o jsonpath={.status.userInfo}',
  ])('%s', async (line) => {
    await same(line.split(' '))
  })
})
