import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EtcdCluster, startEtcd } from '../support/etcd.ts'
import type { Cli } from '../support/kubectl.ts'
import { startServer, type TestServer } from '../support/server.ts'

const chart = fileURLToPath(new URL('chart', import.meta.url))

/** helm 4 comes with kubectl 1.36, helm 3 with 1.32: the one applies on the server's side, the other patches. */
describe.each([
  ['helm 4', 36, 'embedded'],
  ['helm 3', 32, 'etcd'],
] as const)('%s', (_name, version, store) => {
  let etcd: EtcdCluster | undefined
  let server: TestServer
  let cli: Cli
  const read = async (what: string, path: string) =>
    (await cli.kubectl(['get', what, '-n', 'shop', '-o', `jsonpath=${path}`])).stdout

  beforeAll(async () => {
    if (store === 'etcd') etcd = await startEtcd()
    server = await startServer({ etcd: etcd?.endpoints ?? [] })
    cli = server.clients(version)
  })
  afterAll(async () => {
    await server?.stop()
    await etcd?.stop()
  })

  test('installs a chart in a new namespace', async () => {
    const { stdout } = await cli.helm(['install', 'hello', chart, '--namespace=shop', '--create-namespace'])
    expect(stdout).toMatch(/STATUS: deployed\nREVISION: 1/)
    expect(await read('deployment/hello', '{.spec.replicas} {.spec.template.spec.containers[0].image}')).toBe(
      '2 registry.example/greeter:3',
    )
    expect(await read('secret/hello-password', '{.data.password}')).toBe(Buffer.from('first').toString('base64'))
    expect((await cli.helm('list --all-namespaces -o json')).stdout).toContain('"name":"hello"')
  })

  test('upgrades it, keeping what others have set', async () => {
    await cli.kubectl('label deployment hello team=greeters -n shop')
    const { stdout } = await cli.helm(['upgrade', 'hello', chart, '-n', 'shop', '-f', `${chart}/values-upgrade.yaml`])
    expect(stdout).toMatch(/REVISION: 2/)
    expect(await read('deployment/hello', '{.spec.replicas} {.metadata.labels.team}')).toBe('5 greeters')
    expect(await read('service/hello', '{.spec.type} {.spec.ports[*].port}')).toBe('NodePort 8080')
    expect(await read('service/hello', '{.spec.ports[0].nodePort}')).toMatch(/^3[0-2]\d{3}$/)
    expect(await read('configmap/hello-settings', '{.data.greeting}')).toBe('good evening')
  })

  test('rolls it back', async () => {
    await cli.helm('rollback hello 1 -n shop')
    expect(await read('deployment/hello', '{.spec.replicas} {.spec.template.spec.containers[0].image}')).toBe(
      '2 registry.example/greeter:3',
    )
    expect(await read('service/hello', '{.spec.type} {.spec.ports[*].nodePort}')).toBe('ClusterIP ')
    expect(await read('secret/hello-password', '{.data.password}')).toBe(Buffer.from('first').toString('base64'))
    const history = JSON.parse((await cli.helm('history hello -n shop -o json')).stdout)
    expect(history.map(({ status }: { status: string }) => status)).toEqual(['superseded', 'superseded', 'deployed'])
  })

  test('uninstalls it and leaves nothing', async () => {
    expect((await cli.helm('uninstall hello -n shop')).stdout).toContain('release "hello" uninstalled')
    const kinds = 'deployments,services,configmaps,secrets,serviceaccounts,roles,rolebindings'
    const left = (await cli.kubectl(`get ${kinds} -n shop -o name`)).stdout
    expect(left.split('\n').filter((name) => name !== '' && !/\/(default|kube-root-ca.crt)$/.test(name))).toEqual([])
  })
})
