import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { issueEtcdCertificates } from '../support/etcd-certificates.ts'
import type { Cli } from '../support/kubectl.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { namespaceWithAccount } from './namespace.ts'

/** What `kubectl create …` makes without a file: its arguments, and a template of the object made with its outcome. */
const generators: readonly (readonly [args: string, object: string, template: string, outcome: string])[] = [
  ['configmap made --from-literal=a=b --from-literal=c=d', 'cm/made', '{.data}', '{"a":"b","c":"d"}'],
  ['secret generic made --from-literal=p=q', 'secret/made', '{.type} {.data.p}', 'Opaque cQ=='],
  [
    'secret docker-registry pull --docker-server=r.example --docker-username=u --docker-password=p',
    'secret/pull',
    '{.type}',
    'kubernetes.io/dockerconfigjson',
  ],
  ['serviceaccount made', 'sa/made', '{.metadata.name}', 'made'],
  ['role made --verb=get,list --resource=pods,pods/log', 'role/made', '{.rules[0].resources}', '["pods","pods/log"]'],
  ['rolebinding made --role=made --serviceaccount=NS:made', 'rolebinding/made', '{.subjects[0].name}', 'made'],
  ['clusterrole NS-made --verb=get --resource=nodes', 'clusterrole/NS-made', '{.rules[0].verbs}', '["get"]'],
  [
    'clusterrole NS-sum --aggregation-rule=part=yes',
    'clusterrole/NS-sum',
    '{.aggregationRule.clusterRoleSelectors[0].matchLabels.part}',
    'yes',
  ],
  [
    'clusterrolebinding NS-made --clusterrole=NS-made --user=bob',
    'clusterrolebinding/NS-made',
    '{.subjects[0].kind}',
    'User',
  ],
  ['service clusterip made --tcp=80:8080', 'svc/made', '{.spec.type} {.spec.ports[0].targetPort}', 'ClusterIP 8080'],
  ['service clusterip headless --clusterip=None', 'svc/headless', '{.spec.clusterIP}', 'None'],
  ['service nodeport made-node --tcp=80:8080', 'svc/made-node', '{.spec.type}', 'NodePort'],
  ['service loadbalancer made-lb --tcp=80', 'svc/made-lb', '{.spec.type}', 'LoadBalancer'],
  ['service externalname made-out --external-name=x.example', 'svc/made-out', '{.spec.externalName}', 'x.example'],
  ['ingress made --rule=a.example/*=made:80', 'ing/made', '{.spec.rules[0].http.paths[0].pathType}', 'Prefix'],
  [
    'deployment made --image=nginx --replicas=3 --port=80',
    'deploy/made',
    '{.spec.replicas} {.spec.strategy.type}',
    '3 RollingUpdate',
  ],
  ['job made --image=busybox -- date -u', 'job/made', '{.spec.template.spec.containers[0].command}', '["date","-u"]'],
  ['cronjob made --image=busybox --schedule=*/5_*_*_*_* -- date', 'cronjob/made', '{.spec.schedule}', '*/5 * * * *'],
  ['job made-now --from=cronjob/made', 'job/made-now', '{.metadata.ownerReferences[0].name}', 'made'],
  ['quota made --hard=pods=10,cpu=5', 'quota/made', '{.spec.hard}', '{"cpu":"5","pods":"10"}'],
  ['poddisruptionbudget made --selector=app=web --min-available=50%', 'pdb/made', '{.spec.minAvailable}', '50%'],
  [
    'priorityclass NS-made --value=1000 --description=some',
    'pc/NS-made',
    '{.value} {.preemptionPolicy}',
    '1000 PreemptLowerPriority',
  ],
]

describe('kubectl’s generators', () => {
  let server: TestServer

  beforeAll(async () => {
    server = await startServer()
    await namespaceWithAccount(server, 'gen')
    await server.kubectl('config set-context --current --namespace=gen')
  })
  afterAll(() => server?.stop())

  // 1.35 and later send built-in kinds as protobuf, 1.32 as JSON.
  describe.each([36, 35, 32] as const)('of 1.%s', (version) => {
    const namespace = `gen-${version}`
    let cli: Cli
    beforeAll(async () => {
      cli = server.clients(version)
      await namespaceWithAccount(server, namespace)
    })

    test.each(generators)('create %s', async (args, object, template, outcome) => {
      // A schedule has spaces.
      const words = args.split(' ').map((word) => word.replaceAll('_', ' ').replace('NS', namespace))
      const { stdout } = await cli.kubectl(['create', '-n', namespace, ...words])
      expect(stdout).toMatch(/ created\n$/)
      const name = object.replace('NS', namespace)
      const found = await cli.kubectl(['get', name, '-n', namespace, '-o', `jsonpath=${template}`])
      expect(found.stdout).toBe(outcome)
    })
  })

  test('create secret tls takes a certificate and its key', async () => {
    const { files } = await issueEtcdCertificates(server.directory)
    await server.kubectl(`create secret tls served --cert=${files.cert} --key=${files.key}`)
    const type = await server.kubectl('get secret served -o jsonpath={.type}')
    expect(type.stdout).toBe('kubernetes.io/tls')
  })

  test('create configmap takes files, texts and bytes', async () => {
    writeFileSync(join(server.directory, 'text'), 'line\n')
    writeFileSync(join(server.directory, 'bytes'), Buffer.from([0, 255, 1]))
    const from = ['text', 'bytes'].map((name) => `--from-file=${join(server.directory, name)}`)
    await server.kubectl(['create', 'configmap', 'files', ...from])
    const { stdout } = await server.kubectl('get configmap files -o jsonpath={.data}{.binaryData}')
    expect(stdout).toBe('{"text":"line\\n"}{"bytes":"AP8B"}')
  })

  test('create --dry-run=server answers the defaulted object and stores nothing', async () => {
    const { stdout } = await server.kubectl('create service clusterip never --tcp=80 --dry-run=server -o json')
    expect(JSON.parse(stdout)).toMatchObject({ spec: { sessionAffinity: 'None', ipFamilyPolicy: 'SingleStack' } })
    const { stderr } = await server.kubectl('get svc never', { expectFailure: true })
    expect(stderr).toBe('Error from server (NotFound): services "never" not found\n')
  })

  test('create token gives one that says who it is for, and authenticates', async () => {
    await server.kubectl('create serviceaccount robot')
    const token = (await server.kubectl('create token robot --duration=20m --audience=vault')).stdout
    const claims = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString())
    expect(claims).toMatchObject({ aud: ['vault'], sub: 'system:serviceaccount:gen:robot' })
    expect(claims.exp - claims.iat).toBe(1200)
    const own = (await server.kubectl('create token robot')).stdout
    const asRobot = ['--kubeconfig=/dev/null', `--server=${server.url}`, '--insecure-skip-tls-verify', `--token=${own}`]
    const { stdout } = await server.kubectl([
      'auth',
      'whoami',
      '-o',
      'jsonpath={.status.userInfo.username}',
      ...asRobot,
    ])
    expect(stdout).toBe('system:serviceaccount:gen:robot')
    const refused = await server.kubectl(['get', 'pods', ...asRobot], { expectFailure: true })
    expect(refused.stderr).toContain('User "system:serviceaccount:gen:robot" cannot list resource "pods"')
  })
})
