import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'
import { namespaceWithAccount } from './namespace.ts'

let server: TestServer
const kubectl: TestServer['kubectl'] = (args, options) => server.kubectl(args, options)

beforeAll(async () => {
  server = await startServer()
  await namespaceWithAccount(server, 'strict')
  await kubectl('config set-context --current --namespace=strict')
})
afterAll(() => server?.stop())

const container = { name: 'main', image: 'registry.example/app' }
const pod = (spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec })
const service = (spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec })
const object = (apiVersion: string, kind: string, more: object) => ({
  apiVersion,
  kind,
  metadata: { name: 'x' },
  ...more,
})

/** A manifest, and what kubectl says of upstream's answer to it: the beginning, or all of it where it ends a line. */
const refusals: readonly (readonly [what: string, manifest: object, said: string])[] = [
  [
    'an unknown field, deep in a list',
    pod({ containers: [{ ...container, imagee: 'x' }] }),
    'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imagee"\n',
  ],
  [
    'text for a number',
    service({ ports: [{ port: 'eighty' }] }),
    'Error from server (BadRequest): error when creating "STDIN": Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32\n',
  ],
  [
    'an object for a list',
    pod({ containers: container }),
    'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container\n',
  ],
  [
    'a quantity that is none',
    pod({ containers: [{ ...container, resources: { requests: { cpu: '2x' } } }] }),
    'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\'\n',
  ],
  ['nothing where something is required', pod({}), 'The Pod "x" is invalid: spec.containers: Required value\n'],
  [
    'several faults at once',
    pod({ restartPolicy: 'Sometimes', containers: [{ ...container, name: 'a_b', ports: [{ containerPort: 70000 }] }] }),
    `The Pod "x" is invalid: 
* spec.containers[0].name: Invalid value: "a_b": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
* spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive
* spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"
`,
  ],
  [
    'a request beyond its limit',
    pod({ containers: [{ ...container, resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } }] }),
    'The Pod "x" is invalid: spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1\n',
  ],
  [
    'a mount without a volume',
    pod({ containers: [{ ...container, volumeMounts: [{ name: 'lost', mountPath: '/x' }] }] }),
    'The Pod "x" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "lost"\n',
  ],
  [
    'a rollout strategy that contradicts itself',
    object('apps/v1', 'Deployment', {
      spec: {
        strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } },
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } },
      },
    }),
    'The Deployment "x" is invalid: spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is \'Recreate\'\n',
  ],
  [
    'a job that never ends',
    object('batch/v1', 'Job', { spec: { template: { spec: { containers: [container] } } } }),
    'The Job "x" is invalid: spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"\n',
  ],
  [
    'a schedule that is none',
    object('batch/v1', 'CronJob', {
      spec: {
        schedule: '61 * * * *',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [container] } } } },
      },
    }),
    'The CronJob "x" is invalid: spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61\n',
  ],
  [
    'an address outside the range',
    service({ clusterIP: '192.0.2.4', ports: [{ port: 80 }] }),
    'The Service "x" is invalid: spec.clusterIPs: Invalid value: ["192.0.2.4"]: failed to allocate IP 192.0.2.4: the provided network does not match the current range\n',
  ],
  [
    'a node port outside the range',
    service({ type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }),
    'The Service "x" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767\n',
  ],
  [
    'a rule without verbs',
    object('rbac.authorization.k8s.io/v1', 'Role', { rules: [{ apiGroups: [''], resources: ['pods'] }] }),
    'The Role "x" is invalid: rules[0].verbs: Required value: verbs must contain at least one value\n',
  ],
  [
    'an autoscaler that scales to nothing',
    object('autoscaling/v2', 'HorizontalPodAutoscaler', {
      spec: { maxReplicas: 0, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
    }),
    'The HorizontalPodAutoscaler "x" is invalid: \n* spec.maxReplicas: Required value: must be set and greater than 0\n* spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`\n',
  ],
  [
    'a name that is there already',
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
    'Error from server (AlreadyExists): error when creating "STDIN": serviceaccounts "default" already exists\n',
  ],
  [
    'a namespace that is not there',
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'nowhere' } },
    'Error from server (NotFound): error when creating "STDIN": namespaces "nowhere" not found\n',
  ],
  [
    'no name at all',
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} },
    'The ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required\n',
  ],
]

describe('a manifest is refused for', () => {
  test.each(refusals)('%s', async (_what, manifest, said) => {
    const run = await kubectl('create -f -', { input: JSON.stringify(manifest), expectFailure: true })
    expect(run.stderr).toBe(said)
  })
})

describe('a request is refused for', () => {
  test.each([
    [
      'an object that is not there',
      'get configmap none',
      'Error from server (NotFound): configmaps "none" not found\n',
    ],
    ['a kind that is not there', 'get things', 'error: the server doesn\'t have a resource type "things"\n'],
    [
      'a field it cannot select by',
      'get configmaps --field-selector spec.x=1',
      'Error from server (BadRequest): Unable to find "/v1, Resource=configmaps" that match label selector "", field selector "spec.x=1": field label not supported: spec.x\n',
    ],
    [
      'a selector it cannot read',
      'get configmaps -l a===',
      'Error from server (BadRequest): Unable to find "/v1, Resource=configmaps" that match label selector "a===", field selector "": unable to parse requirement: found \'=\', expected: identifier\n',
    ],
    [
      'a path that leads nowhere',
      'get --raw /apis/nope',
      'Error from server (NotFound): the server could not find the requested resource\n',
    ],
    [
      'a list its user may not have',
      'get nodes --as=bob',
      'Error from server (Forbidden): nodes is forbidden: User "bob" cannot list resource "nodes" in API group "" at the cluster scope\n',
    ],
    [
      'a path its user may not have',
      'get --raw /metrics --as=bob',
      'Error from server (Forbidden): forbidden: User "bob" cannot get path "/metrics"\n',
    ],
  ])('%s', async (_what, args, said) => {
    expect((await kubectl(args, { expectFailure: true })).stderr).toBe(said)
  })

  test('what may no longer change', async () => {
    await kubectl('create deployment web --image=registry.example/web')
    await kubectl('create configmap fixed --from-literal=a=b')
    await kubectl(['patch', 'configmap', 'fixed', '-p', '{"immutable":true}'])
    const patch = async (what: string, body: object) =>
      (await kubectl(['patch', ...what.split(' '), '-p', JSON.stringify(body)], { expectFailure: true })).stderr
    expect(await patch('configmap fixed', { data: { a: 'c' } })).toBe(
      'The ConfigMap "fixed" is invalid: data: Forbidden: field is immutable when `immutable` is set\n',
    )
    expect(await patch('configmap fixed', { metadata: { name: 'other' } })).toBe(
      'Error from server (BadRequest): the name of the object (other) does not match the name on the URL (fixed)\n',
    )
    const labels = { app: 'other' }
    expect(
      await patch('deployment web', {
        spec: { selector: { matchLabels: labels }, template: { metadata: { labels } } },
      }),
    ).toBe(
      'The Deployment "web" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable\n',
    )
  })

  test('a field nobody knows is dropped from a patch, with a warning', async () => {
    await kubectl('create configmap lax')
    const run = await kubectl(['patch', 'configmap', 'lax', '-p', '{"datta":{"a":"b"}}'])
    expect(run.stderr).toBe('Warning: unknown field "datta"\n')
    expect(run.stdout).toBe('configmap/lax patched (no change)\n')
  })
})
