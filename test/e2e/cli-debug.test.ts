import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Pod } from '../../api/generated/types.ts'
import { besideKubectl } from '../support/beside-kubectl.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { namespaceWithAccount } from './namespace.ts'

// `gantry debug` beside kubectl's: what both make of one pod and one node. That such containers run is in cluster-workloads.

let server: TestServer
const { gantry, kubectl } = besideKubectl(() => server)

const probe = { exec: { command: ['true'] } }
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', labels: { app: 'web' }, annotations: { note: 'kept' } },
  spec: {
    nodeName: 'here',
    securityContext: { runAsUser: 1000 },
    initContainers: [{ name: 'first', image: 'init:1' }],
    containers: [
      {
        name: 'app',
        image: 'app:1',
        command: ['serve'],
        args: ['-v'],
        livenessProbe: probe,
        readinessProbe: probe,
        startupProbe: probe,
        securityContext: { capabilities: { drop: ['ALL'] } },
      },
      { name: 'side', image: 'side:1' },
    ],
  },
}

beforeAll(async () => {
  server = await startServer()
  for (const namespace of ['theirs', 'ours']) {
    await namespaceWithAccount(server, namespace)
    await kubectl(`create -n ${namespace} -f -`, { input: JSON.stringify(pod) })
  }
  await kubectl('create -f -', {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'here' } }),
  })
  writeFileSync(
    join(server.directory, 'custom.yaml'),
    'env: [{name: A, value: other}]\nsecurityContext: {runAsUser: 0}\n',
  )
})

afterAll(() => server?.stop())

/** What differs by chance or by the namespace is taken out of a text. */
const settled = (text: string, namespace: string) =>
  text
    .replace(/(debugger|node-debugger-here|kube-api-access)-[a-z0-9]{5}\b/g, '$1-X')
    .replaceAll(namespace, 'NAMESPACE')

/** What a namespace has by now of pods, without what the server alone writes, and without what was there before. */
async function podsOf(namespace: string): Promise<unknown[]> {
  const { items } = JSON.parse((await kubectl(`get pods -n ${namespace} -o json --show-managed-fields`)).stdout) as {
    items: Pod[]
  }
  const plain = items.map(({ metadata = {}, spec }) => ({
    name: metadata.name,
    labels: metadata.labels,
    annotations: metadata.annotations,
    // They stand in the order of their seconds, and of their names within one.
    managers: metadata.managedFields?.map(({ manager }) => manager).sort(),
    deleted: Boolean(metadata.deletionTimestamp),
    spec,
  }))
  return plain
    .map((one) => settled(JSON.stringify(one), namespace))
    .sort()
    .map((one) => JSON.parse(one) as unknown)
}

const profiles = ['legacy', 'general', 'baseline', 'restricted', 'netadmin', 'sysadmin']

test.each([
  'web --image=busybox:1',
  'pod/web --image=busybox:1 -it --attach=false --target=app --env=A=1 -- sh -c date',
  'web --image=busybox:1 --arguments-only --image-pull-policy=Never -- -v',
  'web --image=busybox:1 --custom=DIR/custom.yaml --env=A=1',
  'web --image=busybox:1 --container=given --quiet',
  ...profiles.map((name) => `web --image=busybox:1 --profile=${name}`),
  ...profiles.map((name) => `node/here --image=busybox:1 --profile=${name} -c tools -- ls /host`),
  ...profiles.map((name) => `web --image=busybox:1 --copy-to=copy-${name} --profile=${name}`),
  'node/here --image=busybox:1 --quiet --custom=DIR/custom.yaml',
  'web --copy-to=images --set-image=*=busybox:1,side=other:2',
  'web --copy-to=images-and-more --set-image=app=busybox:1 --image=tools:1',
  'web --copy-to=command --container=app -- sh -c date',
  'web --copy-to=arguments --container=app --arguments-only -- -vv',
  'web --copy-to=first --container=first --image=busybox:1 --env=A=1',
  'web --copy-to=there --same-node --image=busybox:1 --share-processes=false',
  'web --copy-to=together --image=busybox:1 --share-processes --profile=legacy',
  'web --copy-to=whole --image=busybox:1 --keep-labels --keep-annotations --keep-liveness --keep-readiness --keep-startup',
  'web --copy-to=bare --image=busybox:1 --keep-init-containers=false',
  'web --copy-to=side --container=side --custom=DIR/custom.yaml --image=busybox:1',
])('debug %s', async (line) => {
  const words = `debug ${line.replace('DIR', server.directory)}`.split(' ')
  const end = words.includes('--') ? words.indexOf('--') : words.length
  const inside = (namespace: string) => [...words.slice(0, end), '-n', namespace, ...words.slice(end)]
  const [theirs, ours] = await Promise.all([kubectl(inside('theirs')), gantry(inside('ours'))])
  expect(settled(ours.stdout, 'ours'), ours.stderr).toBe(settled(theirs.stdout, 'theirs'))
  expect(ours.stderr).toBe(theirs.stderr)
  expect(ours.code).toBe(theirs.code)
  const [there, here] = await Promise.all([podsOf('theirs'), podsOf('ours')])
  expect(here).toEqual(there)
})

test.each([
  'web',
  'web --image=Busybox:1',
  'web --image=busybox:1 --replace',
  'web --image=busybox:1 --same-node',
  'web --image=busybox:1 --set-image=app=x:1',
  'web --image=busybox:1 -t',
  'web --image=busybox:1 --image-pull-policy=Sometimes',
  'web --image=busybox:1 --profile=nothing',
  'web --copy-to=x',
  'web --copy-to=x --image=busybox:1 --target=app',
  'web --copy-to=x --set-image=app=Bad:1',
  'web --copy-to=x -- sh',
  'web --copy-to=x -c new -- sh',
  'web --attach',
  '--image=busybox:1',
  'nothing --image=busybox:1',
  'sa/default --image=busybox:1',
])('debug %s is refused', async (line) => {
  const [theirs, ours] = await Promise.all([kubectl, gantry].map((run) => run(`debug -n theirs ${line}`)))
  expect(ours?.code).toBe(1)
  expect(theirs?.code).toBe(1)
  // What ours says goes on where theirs ends.
  expect(ours?.stderr).toContain(theirs?.stderr.trim().split('\n')[0])
})

test('with --replace the pod makes room for its copy', async () => {
  for (const [run, namespace] of [
    [kubectl, 'theirs'],
    [gantry, 'ours'],
  ] as const) {
    await run(`debug web -n ${namespace} --copy-to=instead --image=busybox:1 --replace`)
    expect((await kubectl(`get pod instead -n ${namespace} -o name`)).stdout).toBe('pod/instead\n')
  }
  expect(await podsOf('ours')).toEqual(await podsOf('theirs'))
})
