import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { besideKubectl, settled } from '../support/beside-kubectl.ts'
import { startCluster, type TestCluster } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// Our own verbs against kubectl's: the same words, the same answers. What changes something is done by each in a
// namespace of its own.

const image = 'gantry.local/hello:1'
const isRoot = process.getuid?.() === 0

let cluster: TestCluster
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-cli-'))
  cluster = await startCluster(['--runtime', 'process', '--quickstart'], { ownMachine: isRoot })
  for (const namespace of ['theirs', 'ours']) {
    await cluster.kubectl(`create namespace ${namespace}`)
    await cluster.kubectl(['apply', '-n', namespace, '-f', manifest('objects.yaml', objects)])
  }
  for (const namespace of ['theirs', 'ours']) {
    await cluster.kubectl(`wait -n ${namespace} --for=condition=Available deployment/web --timeout=60s`)
    await until(
      async () => {
        const { stdout } = await cluster.kubectl(
          `get pod broken -n ${namespace} -o jsonpath={.status.containerStatuses[0].state.waiting.reason}`,
        )
        return stdout === 'CrashLoopBackOff'
      },
      { timeoutMs: 60_000, message: 'a pod in a crash loop' },
    )
  }
})

afterAll(async () => {
  await cluster?.down()
  rmSync(directory, { recursive: true, force: true })
})

const manifest = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

const { gantry, kubectl, same, sameChange } = besideKubectl(() => cluster)

const words = (line: string): readonly string[] => line.split(' ')

describe('get', () => {
  test.each([
    'get pods -n theirs',
    'get pods -A -o wide',
    'get pods -n theirs --show-labels',
    'get pods -n theirs -L app',
    'get pods -n theirs --no-headers',
    'get pods,services -n theirs',
    'get all -n theirs',
    'get deployment web -n theirs -o wide',
    'get deploy/web svc/web -n theirs',
    'get pods -n theirs --field-selector=status.phase=Running -l app=web',
    'get nodes',
    'get pods -n theirs -o name',
    'get deploy,svc -n theirs -o name',
    'get pods -n theirs -o jsonpath={.items[*].metadata.name}',
    'get deploy web -n theirs -o jsonpath={.spec.template.spec.containers[0]}',
    'get deploy web -n theirs -o jsonpath={.metadata.annotations.example\\.com/note}',
    'get pods -n theirs -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[*].image,NO:.spec.nothing',
    'get configmap settings -n theirs -o jsonpath={.data}',
    'get pods -n theirs --sort-by=.metadata.name',
    'get pods nothing -n theirs',
    'get pods nothing -n theirs --ignore-not-found',
    'get pods -n empty',
    'get nothing',
    'get pods -o nothing',
    'get secret hidden -n theirs -o jsonpath={.data.password}',
    'get --raw /version',
    'api-resources',
    'api-resources -o wide',
    'api-resources --namespaced=false -o name',
  ])('%s', async (line) => {
    await same(line)
  })

  test('a range of JSONPath', async () => {
    await same([
      'get',
      'pods',
      '-n',
      'theirs',
      '-o',
      'jsonpath={range .items[*]}{.metadata.name}{"\\t"}{.kind}{"\\n"}{end}',
    ])
  })

  test.each(['deploy web', 'deploy,svc', 'pods', 'configmaps settings'])(
    'the same data as JSON and YAML: %s',
    async (what) => {
      const of = words(`get ${what} -n theirs`)
      const [theirs, ours] = await Promise.all([kubectl([...of, '-o', 'json']), gantry([...of, '-o', 'json'])])
      const pods = what === 'pods'
      // The pod in a crash loop changes meanwhile.
      if (!pods) expect(JSON.parse(ours.stdout)).toEqual(JSON.parse(theirs.stdout))
      expect(ours.stdout.length).toBeGreaterThan(100)
      const { parse } = await import('yaml')
      const [yamlTheirs, yamlOurs] = await Promise.all([kubectl([...of, '-o', 'yaml']), gantry([...of, '-o', 'yaml'])])
      if (!pods) expect(parse(yamlOurs.stdout)).toEqual(parse(yamlTheirs.stdout))
    },
  )

  test('a mistyped kind is answered with the one that was meant', async () => {
    expect((await gantry(['get', 'deploymnets'])).stderr).toContain('Did you mean "deployments"?')
  })

  test('a file of objects', async () => {
    await same(['get', '-f', join(directory, 'objects.yaml'), '-n', 'theirs'])
  })
})

describe('describe', () => {
  const objectsTold = [
    'node',
    'namespace theirs',
    'deployment web -n theirs',
    'replicasets -n theirs',
    'pods -n theirs -l app=web',
    'service web -n theirs',
    'endpointslices -n theirs',
    'configmap settings -n theirs',
    'secret hidden -n theirs',
    'serviceaccount default -n theirs',
    'statefulset none -n theirs',
    'daemonset none -n theirs',
    'job once -n theirs',
    'cronjob yearly -n theirs',
    'pvc data -n theirs',
    'pv shelf',
    'storageclass slow',
    'hpa web -n theirs',
    'pdb web -n theirs',
    'ingress web -n theirs',
    'networkpolicy web -n theirs',
    'resourcequota quota -n theirs',
    'limitrange limits -n theirs',
    'role reader -n theirs',
    'rolebinding readers -n theirs',
    'clusterrole admin',
    'clusterrolebinding cluster-admin',
    'priorityclass system-node-critical',
    'lease vm -n kube-node-lease',
    'apiservice v1.apps',
    'pod we -n theirs',
    'pod nothing -n theirs',
    'pods -n empty',
  ]
  test.each(objectsTold)('%s', async (what) => {
    await same(`describe ${what}`)
  })

  test('a pod in a crash loop: all that kubectl shows, and then what to do', async () => {
    const args = ['describe', 'pod', 'broken', '-n', 'theirs']
    const [theirs, ours] = await Promise.all([kubectl(args), gantry(args)])
    const [told = '', hint = ''] = ours.stdout.split('\nHint: ')
    expect(settled(told)).toBe(settled(theirs.stdout))
    expect(hint).toMatch(/exit code 3: `gantry logs broken -n theirs -c app --previous`/)
  })

  test('pods that cannot start say why', async () => {
    const hint = async (name: string) =>
      (await gantry(['describe', 'pod', name, '-n', 'theirs'])).stdout.split('Hint: ')[1]
    expect(await hint('homeless')).toMatch(/no node has the labels/)
    await until(async () => /create the configmap absent/.test((await hint('incomplete')) ?? ''))
  })
})

describe('exec, attach and logs', () => {
  const inWeb = (...command: string[]) => ['exec', '-n', 'theirs', 'deploy/web', '--', ...command]

  test('a command: its outputs and its exit code', async () => {
    const { ours } = await same(inWeb('node', '-e', 'console.log("out"); console.error("err"); process.exit(7)'))
    expect(ours).toMatchObject({ stdout: 'out\n', code: 7 })
    expect(ours.stderr).toBe('err\ncommand terminated with exit code 7\n')
  })

  test('standard input is passed on, with its end', async () => {
    const { ours } = await same(['exec', '-i', ...inWeb('node', '-e', 'process.stdin.pipe(process.stdout)').slice(1)], {
      input: 'in and out',
    })
    expect(ours.stdout).toBe('in and out')
  })

  test('much output comes whole', async () => {
    const { stdout } = await gantry(inWeb('node', '-e', 'process.stdout.write("x".repeat(5e6))'))
    expect(stdout.length).toBe(5e6)
  })

  test('what cannot be', async () => {
    await same(inWeb('/nothing'))
    await same('exec -n theirs nothing -- true')
    await same('exec -n theirs deploy/web -c nothing -- true')
    await same('exec -n theirs deploy/web true')
    await same('exec -n theirs deploy/web')
    await same('attach -n theirs nothing')
  })

  test('attach: what is typed is heard, and what is said is shown', async () => {
    const run = gantry(['attach', '-i', '-q', '-n', 'theirs', 'listener'], { input: 'hello\n' })
    expect((await run).stdout).toContain('heard hello')
  })

  test.each([
    'logs -n theirs broken',
    'logs -n theirs broken --previous --tail=1',
    'logs -n theirs nothing',
    'logs -n theirs broken -c nothing',
    'logs -n theirs -l app=web --prefix --tail=1',
    'logs -n theirs job/once',
  ])('%s', async (line) => {
    await same(line)
  })
})

describe('create', () => {
  test.each([
    'namespace x',
    'serviceaccount x -n theirs',
    'configmap x --from-literal=a=b --append-hash',
    'secret generic x --from-literal=a=b',
    'secret docker-registry x --docker-username=u --docker-password=p',
    'deployment web --image=registry.example/team/web:1 --image=two --replicas=3 --port=80',
    'service clusterip x --tcp=80:8080',
    'service nodeport x --tcp=80:http --node-port=30100',
    'service externalname x --external-name=example.com',
    'role x --verb=get,list --resource=pods,deployments.apps/scale --resource-name=a',
    'clusterrole x --verb=get --non-resource-url=/healthz',
    'rolebinding x --role=r --user=u --group=g --serviceaccount=a:b',
    'clusterrolebinding x --clusterrole=r --user=u',
    'quota x --hard=cpu=1,pods=2 --scopes=BestEffort',
    'poddisruptionbudget x --selector=a=b,c --min-available=50%',
    'priorityclass x --value=5',
    'ingress x --rule=host/path*=s:80,tls=t --rule=/q=s:http --class=c --annotation=a=b',
    'cronjob x --image=i --schedule=@daily',
    'job x --image=i',
    'job x --from=cronjob/yearly -n theirs',
  ])('the same manifest: %s', async (what) => {
    const args = words(`create ${what} --dry-run=client -o json`)
    const [theirs, ours] = await Promise.all([kubectl(args), gantry(args)])
    const { status: _theirs, ...manifest } = JSON.parse(theirs.stdout)
    const { status: _ours, ...own } = JSON.parse(ours.stdout)
    expect(own).toEqual(manifest)
  })

  test.each(['create namespace theirs', 'create namespace', 'create configmap a b', 'create nothing'])(
    '%s',
    async (line) => {
      await same(line)
    },
  )
})

describe('changes', () => {
  const file = () => join(directory, 'more.yaml')
  const more = (color: string) =>
    manifest('more.yaml', `{apiVersion: v1, kind: ConfigMap, metadata: {name: more}, data: {color: ${color}}}`)

  test('apply, again and changed', async () => {
    more('red')
    await sameChange(['apply', '-f', file()])
    await sameChange(['apply', '-f', file()])
    more('blue')
    await sameChange(['apply', '-f', file(), '--dry-run=server'])
    await sameChange(['apply', '-f', file()])
    await sameChange(['apply', '-f', file(), '-o', 'name'])
    await sameChange(['apply', '-f', file(), '--server-side', '--force-conflicts'])
    expect((await gantry(['get', 'cm', 'more', '-n', 'ours', '-o', 'jsonpath={.data.color}'])).stdout).toBe('blue')
  })

  test('set image', async () => {
    await sameChange('set image deployment/web nothing=x')
    await sameChange('set image deployment/web app=gantry.local/hello:2')
    for (const namespace of ['theirs', 'ours'])
      await cluster.kubectl(`rollout status deployment/web -n ${namespace} --timeout=60s`)
  })

  test.each([
    'rollout status deployment/web',
    'rollout history deployment/web',
    'rollout pause deployment/web',
    'rollout pause deployment/web',
    'rollout resume deployment/web',
    'rollout undo deployment/web',
    'rollout restart deployment/web',
    'scale deployment/web --replicas=1 --current-replicas=9',
    'scale deployment/web --replicas=1',
    'delete configmap more --dry-run=client',
    'delete configmap more',
    'delete configmap more',
    'delete configmap more --ignore-not-found',
    'delete pods',
    'delete pod homeless --now',
    'delete job once -o name',
    'create configmap made --from-literal=a=b',
    'create configmap made --from-literal=a=b',
    'label configmap made tier=front',
    'label configmap made tier=back',
    'label configmap made tier=back --overwrite',
    'label configmap made tier-',
    'label configmaps tier=front',
    'annotate configmap made example.com/note=hello',
    'patch configmap made -p {"data":{"a":"c"}}',
    'patch configmap made --type=json -p [{"op":"replace","path":"/data/a","value":"d"}]',
    'patch configmap made --type=nothing -p {}',
  ])('%s', async (line) => {
    await sameChange(line)
  })
})

const objects = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}, annotations: {example.com/note: hello}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: ${image}
        env: [{name: GREETING, value: hi}, {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: COLOR, valueFrom: {configMapKeyRef: {name: settings, key: color}}}]
        resources: {requests: {cpu: 10m, memory: 16Mi}}
        volumeMounts: [{name: settings, mountPath: /settings, readOnly: true}]
      volumes: [{name: settings, configMap: {name: settings}}, {name: scratch, emptyDir: {}}]
      terminationGracePeriodSeconds: 1
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {color: red, lines: "one\\ntwo\\n"}}
---
{apiVersion: v1, kind: Secret, metadata: {name: hidden}, stringData: {password: hunter2}}
---
{apiVersion: v1, kind: Pod, metadata: {name: broken}, spec: {containers: [{name: app, image: "${image}", command: [node, -e, "console.log('bad'); process.exit(3)"]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: homeless}, spec: {nodeSelector: {nowhere: "true"}, containers: [{name: app, image: "${image}"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: incomplete}, spec: {containers: [{name: app, image: "${image}", envFrom: [{configMapRef: {name: absent}}]}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: listener}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: ${image}
    stdin: true
    stdinOnce: true
    command: [node, -e, "process.stdin.on('data', (line) => console.log('heard ' + line)).on('end', () => process.exit())"]
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: none}, spec: {replicas: 0, serviceName: none, selector: {matchLabels: {app: none}}, template: {metadata: {labels: {app: none}}, spec: {containers: [{name: app, image: "${image}"}]}}, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: none}, spec: {selector: {matchLabels: {app: ds}}, template: {metadata: {labels: {app: ds}}, spec: {nodeSelector: {nowhere: "true"}, containers: [{name: app, image: "${image}"}]}}}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: once}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: "${image}", command: [node, -e, "console.log('done')"]}]}}}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: yearly}, spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: "${image}"}]}}}}}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], storageClassName: nowhere, resources: {requests: {storage: 1Gi}}}}
---
{apiVersion: v1, kind: PersistentVolume, metadata: {name: shelf}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: slow, hostPath: {path: /tmp/shelf}}}
---
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: slow}, provisioner: example.com/slow, parameters: {speed: low}}
---
{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: nothing}, maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web}, spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web}, spec: {rules: [{host: web.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web}, spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}], ports: [{port: 8080}]}]}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: quota}, spec: {hard: {pods: "50", configmaps: "20"}}}
---
{apiVersion: v1, kind: LimitRange, metadata: {name: limits}, spec: {limits: [{type: Container, defaultRequest: {memory: 16Mi}}]}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}, rules: [{apiGroups: ["", apps], resources: [pods, deployments], verbs: [get, list]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: readers}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}, subjects: [{kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}]}
`
