import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findPath } from '../../api/machinery/json-path.ts'
import { buildKustomization } from './build.ts'

const base = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: robot
      containers:
      - {name: app, image: "registry/app:1", envFrom: [{configMapRef: {name: settings}}], args: [a]}
      - {name: side, image: "side@sha256:abc"}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {host: "web.shop:80"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: robot, namespace: default}, {kind: ServiceAccount, name: default}]
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
`

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-kustomization-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** What a kustomization makes of the base; further files are below it. */
function built(kustomization: string, files: Record<string, string> = {}, from = '.') {
  const all = { 'base.yaml': base, 'kustomization.yaml': `resources: [base.yaml]\n${kustomization}`, ...files }
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  return buildKustomization(join(directory, from))
}

/** What paths lead to in the objects of a kind. */
const at = (objects: readonly { kind: string }[], kind: string, path: string) =>
  objects.filter((object) => object.kind === kind).flatMap((object) => findPath(`{${path}}`)(object))

const pod = '.spec.template.spec'

describe('a kustomization', () => {
  test.each<[what: string, kustomization: string, kind: string, path: string, found: unknown[]]>([
    ['puts objects into a namespace', 'namespace: prod', 'Deployment', '.metadata.namespace', ['prod']],
    ['renames a namespace with it', 'namespace: prod', 'Namespace', '.metadata.name', ['prod']],
    ['leaves what is in none', 'namespace: prod', 'ClusterRoleBinding', '.metadata.namespace', []],
    ['follows accounts into it', 'namespace: prod', 'ClusterRoleBinding', '.subjects[*].namespace', ['prod', 'prod']],
    ['puts words around names', 'namePrefix: a-\nnameSuffix: -z', 'Service', '.metadata.name', ['a-web-z']],
    ['leaves the name of a namespace', 'namePrefix: a-', 'Namespace', '.metadata.name', ['shop']],
    [
      'follows names into what uses them',
      'namePrefix: a-',
      'Deployment',
      `${pod}.containers[0].envFrom[0].configMapRef.name`,
      ['a-settings'],
    ],
    ['follows accounts', 'namePrefix: a-', 'Deployment', `${pod}.serviceAccountName`, ['a-robot']],
    ['leaves names of what it does not have', 'namePrefix: a-', 'ClusterRoleBinding', '.roleRef.name', ['view']],
    ['labels objects', 'labels: [{pairs: {tier: x}}]', 'Deployment', '.metadata.labels.tier', ['x']],
    ['not what they select', 'labels: [{pairs: {tier: x}}]', 'Service', '.spec.selector.tier', []],
    [
      'but where that is asked for',
      'labels: [{pairs: {tier: x}, includeSelectors: true}]',
      'Service',
      '.spec.selector.tier',
      ['x'],
    ],
    [
      'labels pods without selecting by it',
      'labels: [{pairs: {tier: x}, includeTemplates: true}]',
      'Deployment',
      '.spec.template.metadata.labels.tier',
      ['x'],
    ],
    ['selects by common labels', 'commonLabels: {tier: x}', 'Deployment', '.spec.selector.matchLabels.tier', ['x']],
    [
      'annotates pods, too',
      'commonAnnotations: {by: me}',
      'Deployment',
      '.spec.template.metadata.annotations.by',
      ['me'],
    ],
    ['counts replicas', 'replicas: [{name: web, count: 3}]', 'Deployment', '.spec.replicas', [3]],
    [
      'tags an image',
      'images: [{name: registry/app, newTag: "2"}]',
      'Deployment',
      `${pod}.containers[0].image`,
      ['registry/app:2'],
    ],
    [
      'takes another image, and keeps the tag',
      'images: [{name: registry/app, newName: other/app}]',
      'Deployment',
      `${pod}.containers[0].image`,
      ['other/app:1'],
    ],
    [
      'takes a digest in place of a tag',
      'images: [{name: registry/app, digest: "sha256:def"}]',
      'Deployment',
      `${pod}.containers[0].image`,
      ['registry/app@sha256:def'],
    ],
    [
      'takes a tag in place of a digest',
      'images: [{name: side, newTag: "2"}]',
      'Deployment',
      `${pod}.containers[1].image`,
      ['side:2'],
    ],
    [
      'leaves images of other names',
      'images: [{name: app, newTag: "2"}]',
      'Deployment',
      `${pod}.containers[0].image`,
      ['registry/app:1'],
    ],
    [
      'merges containers by their names, and other lists not',
      'patches: [{patch: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {spec: {containers: [{name: app, args: [b, c]}]}}}}"}]',
      'Deployment',
      `${pod}.containers[?(@.name=="app")].args[*]`,
      ['b', 'c'],
    ],
    [
      'patches all that a target fits',
      'patches: [{target: {kind: "Service|ConfigMap"}, patch: "[{op: add, path: /metadata/labels, value: {a: b}}]"}]',
      'ConfigMap',
      '.metadata.labels.a',
      ['b'],
    ],
    [
      'takes away what a patch deletes',
      'patches: [{patch: "{apiVersion: v1, kind: Service, metadata: {name: web}, $patch: delete}"}]',
      'Service',
      '.metadata.name',
      [],
    ],
    [
      'keeps the name that a patch would change',
      'patches: [{target: {kind: Service}, patch: "{apiVersion: v1, kind: Service, metadata: {name: other, labels: {a: b}}}"}]',
      'Service',
      '.metadata.name',
      ['web'],
    ],
    [
      'copies values, and parts of them',
      'replacements: [{source: {kind: Deployment, name: web}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.host], options: {delimiter: ".", index: 1}}]}]',
      'ConfigMap',
      '.data.host',
      ['web.web'],
    ],
    [
      'copies to items that are told apart by a field',
      'replacements: [{sourceValue: "new:1", targets: [{select: {kind: Deployment}, fieldPaths: ["spec.template.spec.containers.[name=side].image"]}]}]',
      'Deployment',
      `${pod}.containers[*].image`,
      ['registry/app:1', 'new:1'],
    ],
  ])('%s', (_what, kustomization, kind, path, found) => {
    expect(at(built(kustomization), kind, path)).toEqual(found)
  })

  test('shows first what others need', () => {
    expect(built('').map(({ kind }) => kind)).toEqual([
      'Namespace',
      'ServiceAccount',
      'ClusterRoleBinding',
      'ConfigMap',
      'Service',
      'Deployment',
    ])
    expect(built('sortOptions: {order: fifo}')[0]?.kind).toBe('Deployment')
  })

  test('leaves out what is for it alone', () => {
    const local = 'metadata: {name: web, annotations: {config.kubernetes.io/local-config: "true"}}'
    const patch = `patches: [{patch: "{apiVersion: v1, kind: Service, ${local.replaceAll('"', "'")}}"}]`
    expect(at(built(patch), 'Service', '.metadata.name')).toEqual([])
  })

  test('builds on another, whose names and digests it follows', () => {
    const below = 'resources: [../base.yaml]\nnamePrefix: b-\n'
    const made = built(
      '',
      {
        'below/kustomization.yaml': below.replace('../base.yaml', 'base.yaml'),
        'below/base.yaml': base,
        'over/kustomization.yaml':
          'resources: [../below]\nnamePrefix: a-\nreplicas: [{name: web, count: 2}]\nconfigMapGenerator: [{name: settings, behavior: merge, literals: [port=80]}]\n',
      },
      'over',
    )
    expect(at(made, 'Deployment', '.metadata.name')).toEqual(['a-b-web'])
    expect(at(made, 'Deployment', '.spec.replicas')).toEqual([2])
    const [name] = at(made, 'ConfigMap', '.metadata.name')
    expect(name).toMatch(/^a-b-settings-[a-z0-9]{10}$/)
    expect(at(made, 'Deployment', `${pod}.containers[0].envFrom[0].configMapRef.name`)).toEqual([name])
    expect(at(made, 'ConfigMap', '.data.port')).toEqual(['80'])
  })

  test('takes in components', () => {
    const component = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -c\n'
    const made = built('components: [part]', { 'part/kustomization.yaml': component })
    expect(at(made, 'Service', '.metadata.name')).toEqual(['web-c'])
  })
})

describe('a generator', () => {
  const one = (text: string, files = {}) =>
    built(text, files).filter(({ metadata }) => /^gen/.test(metadata.name ?? ''))

  test('adds a digest of what is in it, unless that is not wanted', () => {
    expect(one('configMapGenerator: [{name: gen, literals: [a=b]}]')).toMatchObject([
      { kind: 'ConfigMap', metadata: { name: 'gen-4h2mbtbbt6' }, data: { a: 'b' } },
    ])
    const plain = 'configMapGenerator: [{name: gen, literals: [a=b]}]\ngeneratorOptions: {disableNameSuffixHash: true}'
    expect(one(plain)[0]?.metadata.name).toBe('gen')
  })

  test('reads files and variables, and hides what is secret', () => {
    const files = { 'some.txt': 'text\n', 'a.env': '# no\nA=1\n\nB=2=3\n' }
    expect(
      one('configMapGenerator: [{name: gen, files: [some.txt, other=some.txt], envs: [a.env]}]', files),
    ).toMatchObject([{ data: { 'some.txt': 'text\n', other: 'text\n', A: '1', B: '2=3' } }])
    expect(one('secretGenerator: [{name: gen, literals: ["a=b"]}]')).toMatchObject([
      { kind: 'Secret', type: 'Opaque', data: { a: 'Yg==' } },
    ])
  })
})

describe('is refused', () => {
  test.each([
    ['a field that is not known', 'namePrefx: a', 'unknown field "namePrefx". Did you mean "namePrefix"?'],
    ['what is not supported', 'vars: []', 'vars is not supported here: write replacements'],
    ['an object twice', 'bases: [base.yaml]', 'may not add resource with an already registered id'],
    [
      'a patch of nothing',
      'patches: [{patch: "{apiVersion: v1, kind: Service, metadata: {name: none}}"}]',
      'no resource matches',
    ],
    ['replicas of nothing', 'replicas: [{name: none, count: 1}]', 'resource with name none does not match'],
    ['a value from nothing', 'replacements: [{source: {kind: None}, targets: []}]', 'nothing selected by None'],
    ['a file outside', 'configMapGenerator: [{name: a, files: [../x]}]', 'is not in or below'],
    ['another machine', 'components: ["https://example.test/x.git"]', 'is on another machine'],
    ['itself', 'components: [.]', 'cycle detected'],
  ])('%s', (_what, kustomization, why) => {
    expect(() => built(kustomization)).toThrow(why)
  })
})
