import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { besideKubectl, settled } from '../support/beside-kubectl.ts'
import { startCluster, type TestCluster } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// Verbs for the day beside kubectl's: waiting, looking, emptying nodes, running, changing, reaching in.

const isRoot = process.getuid?.() === 0
const gantryPath = fileURLToPath(new URL('../../bin/gantry', import.meta.url))

let cluster: TestCluster
let directory: string
const { gantry, kubectl, same, sameChange } = besideKubectl(() => cluster)

const file = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text, { mode: 0o700 })
  return path
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-verbs-'))
  cluster = await startCluster(['--runtime', 'process', '--quickstart'], { ownMachine: isRoot })
  for (const namespace of ['theirs', 'ours']) await cluster.kubectl(`create namespace ${namespace}`)
})

afterAll(async () => {
  await cluster?.down()
  rmSync(directory, { recursive: true, force: true })
})

describe('waiting and looking', () => {
  test.each([
    'wait deployment/hello --for=condition=Available',
    'wait deployment/hello --for=jsonpath={.status.readyReplicas}=3 -o name',
    'wait deployment/hello --for=condition=Nothing --timeout=1s',
    'wait deployment/hello service/hello --for=condition=Nothing --timeout=0',
    'wait pods --all --for=condition=Ready=False --timeout=1s',
    'wait pods -l app=nothing --for=condition=Ready',
    'wait pods -l app=nothing --for=delete',
    'wait pod/nothing --for=delete',
    'wait pod/nothing --for=create --timeout=1s',
    'wait pod/nothing --for=condition=Ready',
    'wait pods --for=nonsense',
    'events --for deployment/hello',
    'events -n kube-public',
    'events --types=nothing',
    'top pod nothing',
    'top pods -n kube-public',
    'top pods --sort-by=nothing',
    'auth can-i get pods',
    'auth can-i list pods --as=nobody',
    'auth can-i get /healthz --as=nobody',
    'auth can-i --list --as=nobody',
    'auth can-i get nodes -q',
    'auth can-i nonsense pods',
    'auth can-i',
    'auth whoami --as=nobody --as-group=a --as-group=b',
    'explain pods.spec.tolerations',
    'explain deployment --recursive',
    'explain deployments.apps.spec.strategy',
    'explain configmap',
  ])('%s', async (line) => {
    await same(line)
  })

  test('what is used: the same columns, the same rows', async () => {
    const shape = (text: string) => text.replace(/\b\d+(m|Mi|%)/g, 'N$1').replace(/[ \t]+/g, ' ')
    for (const line of ['top nodes', 'top pods --containers', 'top pods -A --sum', 'top node --no-headers']) {
      const [theirs, ours] = await Promise.all([kubectl(line), gantry(line)])
      expect(shape(ours.stdout), ours.stderr).toBe(shape(theirs.stdout))
    }
  })

  test('waits until it is so, and no longer', async () => {
    await cluster.kubectl('create configmap soon -n ours')
    const waiting = gantry('wait configmap/soon -n ours --for=jsonpath={.data.a}=b --timeout=30s')
    await cluster.kubectl(['patch', 'configmap', 'soon', '-n', 'ours', '-p', '{"data":{"a":"b"}}'])
    expect((await waiting).stdout).toBe('configmap/soon condition met\n')
    const gone = gantry('wait configmap/soon -n ours --for=delete --timeout=30s')
    await cluster.kubectl('delete configmap soon -n ours')
    expect((await gone).code).toBe(0)
  })
})

describe('making', () => {
  test.each([
    'run web --image=x --port=80 --env=A=b --labels=q=r,s=t --command -- a b',
    'run web --image=x --restart=Never --privileged --annotations=a=b --image-pull-policy=Never -- a',
    'expose deployment hello --port=80',
    'expose service hello --name=a --target-port=http --type=NodePort --session-affinity=ClientIP',
    'expose deployment hello --port=80,81 --protocol=UDP --cluster-ip=None --selector=a=b',
    'autoscale deployment hello --max=3 --min=2 --cpu=70% --memory=100Mi',
    'autoscale deployment hello --max=4 --cpu=500m --name=q',
  ])('the same manifest: %s', async (line) => {
    const [own, rest] = [line.split(' -- ')[0], line.split(' -- ')[1]]
    const args = `${own} --dry-run=client -o json${rest ? ` -- ${rest}` : ''}`
    const [theirs, ours] = await Promise.all([kubectl(args), gantry(args)])
    const { status: _theirs, ...manifest } = JSON.parse(theirs.stdout)
    const { status: _ours, ...made } = JSON.parse(ours.stdout)
    expect(made).toEqual(manifest)
  })

  test.each([
    'run',
    'run web --image=x --expose',
    'run web --image=x --rm',
    'expose pod nothing',
    'expose configmap kube-root-ca.crt --port=1',
    'autoscale deployment hello',
    'autoscale deployment hello --max=3 --min=4',
    'autoscale service hello --max=2',
    'certificate approve nothing',
    'version -o nothing',
    'replace',
  ])('%s', async (line) => {
    await same(line)
  })

  test('run: what it prints, its exit code, and nothing is left', async () => {
    const args = 'run once --image=gantry.local/hello:1 --restart=Never --rm -i -q -n ours --command -- node -e'.split(
      ' ',
    )
    // It answers the end of its input, and so not before somebody is connected.
    const program = 'process.stdin.resume().on("end", () => { console.log("hi"); process.exit(3) })'
    const { stdout, stderr, code } = await gantry([...args, program])
    expect(stdout, stderr).toBe('hi\n')
    expect(code).toBe(3)
    expect((await kubectl('get pods -n ours -o name')).stdout).toBe('')
  })

  test('run: also what was printed before anybody was connected', async () => {
    const args = 'run quick --image=gantry.local/hello:1 --restart=Never --rm -i -q -n ours --command -- node -e'.split(
      ' ',
    )
    for (let i = 0; i < 3; i++) {
      const { stdout, stderr, code } = await gantry([...args, 'console.log("hi"); process.exit(4)'])
      expect(stdout, stderr).toBe('hi\n')
      expect(code).toBe(4)
    }
  })
})

describe('changing', () => {
  const settings = (color: string) =>
    file('settings.yaml', `{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {color: ${color}}}`)

  test('replace and diff', async () => {
    await sameChange(`replace -f ${settings('red')}`)
    await sameChange(`replace --force -f ${settings('red')}`)
    await sameChange(`replace -f ${settings('blue')} --dry-run=server`)
    expect((await gantry(`diff -f ${settings('red')} -n ours`)).code).toBe(0)
    const { code, stdout } = await gantry(`diff -f ${settings('blue')} -n ours`)
    expect(code).toBe(1)
    expect(stdout).toContain('-  color: red\n+  color: blue\n')
  })

  test('edit: saved, without a change, and refused with the reason', async () => {
    const withEditor = async (script: string) => {
      process.env.KUBE_EDITOR = file('editor.sh', `#!/bin/sh\n${script}\n`)
      try {
        return await gantry('edit configmap settings -n ours')
      } finally {
        delete process.env.KUBE_EDITOR
      }
    }
    expect((await withEditor('sed -i s/red/green/ $1')).stdout).toBe('configmap/settings edited\n')
    expect((await withEditor('true')).stderr).toBe('Edit cancelled, no changes made.\n')
    const seen = join(directory, 'seen.yaml')
    const refused = await withEditor(`cp $1 ${seen}; sed -i 's/color: green/color: [1]/' $1`)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('A copy of your changes has been stored to')
    expect(readFileSync(seen, 'utf8')).toContain('was not valid:')
  })

  test.each([
    'taint nodes vm a=b:NoSchedule --dry-run=client',
    'taint nodes vm',
    'taint nodes vm a=b',
    'taint nodes vm a-',
    'taint pods vm a=b:NoSchedule',
    'drain',
    'drain nothing',
    'drain vm --dry-run=client --ignore-daemonsets',
  ])('%s', async (line) => {
    const [theirs, ours] = await Promise.all([kubectl(line), gantry(line)])
    const lines = (text: string) => settled(text).split('\n').sort()
    expect(lines(ours.stdout), ours.stderr).toEqual(lines(theirs.stdout))
    expect(ours.code).toBe(theirs.code)
  })

  test('a taint comes, changes and goes', async () => {
    const taint = async (change: string) => (await gantry(`taint node vm ${change}`)).stdout
    expect(await taint('example.com/a=b:PreferNoSchedule')).toBe('node/vm tainted\n')
    expect(await taint('example.com/a=c:PreferNoSchedule')).toBe('')
    expect(await taint('example.com/a=c:PreferNoSchedule --overwrite')).toBe('node/vm modified\n')
    expect(await taint('example.com/a-')).toBe('node/vm untainted\n')
  })

  test('drain: what nobody would make again needs force; then all go', async () => {
    const bare = `{apiVersion: v1, kind: Pod, metadata: {name: bare}, spec: {terminationGracePeriodSeconds: 1, containers: [{name: app, image: "gantry.local/hello:1"}]}}`
    await cluster.kubectl('apply -n ours -f -', { input: bare })
    await cluster.kubectl('wait pod/bare -n ours --for=condition=Ready --timeout=60s')
    const refused = await gantry('drain vm')
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.stderr).toContain('Pods that declare no controller (use --force to override): ours/bare')
    const drained = await gantry('drain vm --force --timeout=100s')
    expect(drained.stdout, drained.stderr).toMatch(/pod\/bare evicted[\s\S]*node\/vm drained\n$/)
    await gantry('uncordon vm')
    await cluster.kubectl('wait deployment/hello --for=condition=Available --timeout=60s')
  })
})

describe('rolling back what is not a deployment', () => {
  const set = (kind: string, image: string) => `
apiVersion: apps/v1
kind: ${kind}
metadata: {name: kept}
spec:
  ${kind === 'StatefulSet' ? 'serviceName: kept' : ''}
  selector: {matchLabels: {app: kept}}
  template:
    metadata: {labels: {app: kept}}
    spec: {terminationGracePeriodSeconds: 0, containers: [{name: app, image: "${image}"}]}`

  test.each(['StatefulSet', 'DaemonSet'])('%s: history, undo, status and restart', async (kind) => {
    for (const image of ['gantry.local/hello:1', 'gantry.local/hello:2']) {
      const input = set(kind, image)
      for (const namespace of ['theirs', 'ours']) await cluster.kubectl(`apply -n ${namespace} -f -`, { input })
      for (const namespace of ['theirs', 'ours'])
        await cluster.kubectl(`rollout status ${kind}/kept -n ${namespace} --timeout=60s`)
    }
    await sameChange(`rollout history ${kind}/kept`)
    await sameChange(`rollout history ${kind}/kept --revision=2`)
    await sameChange(`rollout undo ${kind}/kept --to-revision=7`)
    await sameChange(`rollout undo ${kind}/kept --dry-run=server`)
    await sameChange(`rollout undo ${kind}/kept`)
    await sameChange(`rollout undo ${kind}/kept --to-revision=3`)
    await sameChange(`rollout restart ${kind}/kept`)
    const image = await kubectl(`get ${kind}/kept -n ours -o jsonpath={.spec.template.spec.containers[0].image}`)
    expect(image.stdout).toBe('gantry.local/hello:1')
    for (const namespace of ['theirs', 'ours']) await cluster.kubectl(`delete ${kind}/kept -n ${namespace} --now`)
  })
})

describe('applying several as one', () => {
  const settings = (...names: string[]) =>
    names.map((name) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}, data: {a: b}}`).join('\n---\n')
  const there = async () =>
    (await kubectl('get configmaps -n ours -o name')).stdout.split('\n').filter((name) => /\/[a-c]$/.test(name))

  test('what is no longer in the set is deleted, and nothing else', async () => {
    await cluster.kubectl('create configmap c -n ours')
    const apply = (input: string, more = '') => gantry(`apply -n ours -f - --prune --applyset=web${more}`, { input })
    expect((await apply(settings('a', 'b'))).stdout).toBe('configmap/a created\nconfigmap/b created\n')
    expect((await apply(settings('a'), ' --dry-run=server')).stdout).toContain('configmap/b pruned (server dry run)')
    expect(await there()).toHaveLength(3)
    expect((await apply(settings('a'))).stdout).toBe('configmap/a unchanged\nconfigmap/b pruned\n')
    expect(await there()).toEqual(['configmap/a', 'configmap/c'])
    expect((await gantry('apply -n ours -f - --prune', { input: settings('a') })).stderr).toContain('--applyset=NAME')
    await cluster.kubectl('delete configmap a c -n ours')
  })

  test('all or nothing', async () => {
    const apply = (input: string) => gantry('apply -n ours -f - --atomic', { input })
    const bad = '{apiVersion: v1, kind: ConfigMap, metadata: {name: B}}'
    const refused = await apply(`${settings('a')}\n---\n${bad}`)
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('nothing was changed')
    expect(await there()).toEqual([])
    expect((await apply(settings('a', 'b'))).stdout).toBe(
      'configmap/a serverside-applied\nconfigmap/b serverside-applied\n',
    )
    const versions = await kubectl('get configmap a b -n ours -o jsonpath={.items[*].metadata.resourceVersion}')
    expect(new Set(versions.stdout.split(' ')).size).toBe(1)
    await cluster.kubectl('delete configmap a b -n ours')
  })
})

describe('at the shell', () => {
  test('completes verbs, kinds, names, flags and what follows a flag', async () => {
    const words = async (line: string) => {
      const typed = line.split(' ')
      return (await gantry(['__complete', '--', ...typed])).stdout.split('\n').filter((word) => word !== '')
    }
    expect(await words('ro')).toEqual(['rollout'])
    expect(await words('rollout un')).toEqual(['undo'])
    expect(await words('get deploym')).toEqual(['deployments'])
    expect(await words('get deployments hel')).toEqual(['hello'])
    expect(await words('describe svc/hel')).toEqual(['svc/hello'])
    expect(await words('get pods -n kube-s')).toEqual(['kube-system'])
    expect(await words('get pods --sho')).toEqual(['--show-kind', '--show-labels', '--show-managed-fields'])
    expect(await words('get pods -o y')).toEqual(['yaml'])
    expect((await gantry('completion bsh')).stderr).toContain('Did you mean "bash"?')
  })

  test.skipIf(!existsSync('/bin/bash'))('in bash', async () => {
    const bin = file('gantry', `#!/bin/sh\nexec ${process.execPath} ${gantryPath} "$@"\n`)
    const script = `PATH=${bin.replace(/\/gantry$/, '')}:$PATH
source <(gantry completion bash)
COMP_WORDS=(gantry rollout re); COMP_CWORD=2; _gantry; printf '%s\\n' "\${COMPREPLY[@]}"`
    expect(execFileSync('/bin/bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n')).toEqual([
      'resume',
      'restart',
    ])
  })

  test('a proxy serves the API as its owner, and no shells', async () => {
    const [program = '', ...rest] = [...cluster.enter, process.execPath, gantryPath]
    const child = spawn(program, [...rest, 'proxy', '--port=0', `--kubeconfig=${cluster.kubeconfig}`])
    let said = ''
    child.stdout.on('data', (chunk) => (said += chunk))
    try {
      await until(async () => /serve on 127\.0\.0\.1:\d+/.test(said))
      const url = `http://127.0.0.1:${/:(\d+)/.exec(said)?.[1]}`
      expect(JSON.parse(await cluster.call(`${url}/api/v1/namespaces/default`)).metadata.name).toBe('default')
      const [pod] = (await kubectl('get pods -l app=hello -o name')).stdout.split('\n')
      const path = `/api/v1/namespaces/default/${pod?.replace('pod/', 'pods/')}/exec`
      await expect(cluster.call(`${url}${path}`)).rejects.toThrow('403')
    } finally {
      child.kill()
    }
  })
})

/** An HTTP proxy that tells of each connection, as a program of one line. */
const proxyProgram = `
const { connect } = require('node:net')
require('node:http').createServer().on('connect', (req, socket) => {
  console.log(req.url)
  const to = connect(...req.url.split(':').reverse())
  to.once('connect', () => socket.write('HTTP/1.1 200 OK\\r\\n\\r\\n'))
  socket.pipe(to).pipe(socket)
  for (const one of [socket, to]) one.on('error', () => {}).on('close', () => void (socket.destroy(), to.destroy()))
}).listen(0, '127.0.0.1', function () { console.log('port', this.address().port) })`

test('requests, shells and forwarded ports go through the proxy of a kubeconfig', async () => {
  const [program = '', ...rest] = [...cluster.enter, process.execPath, '-e', proxyProgram]
  const proxy = spawn(program, rest)
  let said = ''
  proxy.stdout.on('data', (chunk) => (said += chunk))
  const connections = () => said.split('\n').length - 2
  try {
    const port = await until(() => /port (\d+)/.exec(said)?.[1], { message: 'a proxy that serves' })
    const kubeconfig = file('behind', readFileSync(cluster.kubeconfig, 'utf8'))
    const name = (await kubectl('config view -o jsonpath={.clusters[0].name}')).stdout
    await gantry(`config set-cluster ${name} --proxy-url=http://127.0.0.1:${port}`, { kubeconfig })
    const [pod = ''] = (await gantry('get pods -l app=hello -o name', { kubeconfig })).stdout.split('\n')
    const listed = connections()
    expect(pod).toMatch(/^pod\/hello-/)
    expect(listed).toBeGreaterThan(0)
    expect((await gantry(`exec ${pod} -- echo from inside`, { kubeconfig })).stdout).toBe('from inside\n')
    const run = connections()
    expect(run).toBeGreaterThan(listed)
    const [command = '', ...words] = [...cluster.enter, process.execPath, gantryPath, 'port-forward', pod, ':8080']
    const forward = spawn(command, [...words, `--kubeconfig=${kubeconfig}`])
    try {
      let told = ''
      forward.stdout.on('data', (chunk) => (told += chunk))
      const local = await until(() => /127\.0\.0\.1:(\d+) ->/.exec(told)?.[1], { message: 'a forwarded port' })
      expect(await cluster.call(`http://127.0.0.1:${local}/`)).toContain('hello')
      expect(connections()).toBeGreaterThan(run)
    } finally {
      forward.kill()
    }
    proxy.kill()
    expect((await gantry('get pods', { kubeconfig })).stderr).toMatch(/ECONNREFUSED|refused/)
  } finally {
    proxy.kill()
  }
})

describe('mistakes lead to the fix', () => {
  test('in a file, with the line and the column', async () => {
    const path = file(
      'typo.yaml',
      '# a comment\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: typo\n  lables: {a: b}\n',
    )
    for (const verb of ['apply', 'create', 'replace', 'replace --force', 'diff']) {
      const { stderr, code } = await gantry(`${verb} -f ${path} -n ours`)
      expect(code).toBe(verb === 'diff' ? 2 : 1)
      expect(stderr).toContain(`  ${path}:7:3: metadata.lables: did you mean "labels"?\n`)
    }
  })

  test('in JSON, and in an item of a list', async () => {
    const item = (name: string, labels: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, [labels]: {} },
    })
    const list = { apiVersion: 'v1', kind: 'List', items: [item('right', 'labels'), item('typo', 'lables')] }
    const path = file('typo.json', JSON.stringify(list, null, 2))
    const { stderr } = await gantry(`create -f ${path} -n ours --dry-run=server`)
    expect(stderr).toContain(`  ${path}:18:9: metadata.lables: did you mean "labels"?\n`)
  })

  test.each([
    ['get deployment helo', 'Did you mean "hello"?'],
    ['describe svc/helo', 'Did you mean "hello"?'],
    ['scale deployment/helo --replicas=1', 'Did you mean "hello"?'],
    ['get deployment hello -n ours', 'There is one in the namespace "default": add -n default'],
    ['get pods -n defalt', 'There is no namespace "defalt". Did you mean "default"?'],
    ['get deploymnts', 'Did you mean "deployments"?'],
    ['rollout histroy deployment/hello', 'Did you mean "history"?'],
    ['get pods -o jsno', 'Did you mean "json"?'],
    ['gte pods', 'Did you mean `gantry get`?'],
  ])('%s', async (line, words) => {
    expect((await gantry(line)).stderr).toContain(words)
  })
})

describe('a compose file', () => {
  const compose = (extra: string) =>
    file(
      'compose.yaml',
      `
services:
  front:
    image: gantry.local/hello:1
    ports: ["8080:8080"]
    environment: {GREETING: hi}
    depends_on: [back]
  back: {image: "gantry.local/hello:1", volumes: ["state:/state"]}
${extra}
volumes: {state: {}}`,
    )
  const objects = async () =>
    (await kubectl('get deployments,services -n ours -o name')).stdout.split('\n').filter((name) => name !== '')

  test('comes up, changes, and goes down', async () => {
    const path = compose('  more: {image: "gantry.local/hello:1"}')
    const up = await gantry(`compose -f ${path} -p shop up -n ours`)
    expect(up.code, up.stderr).toBe(0)
    expect(up.stdout).toContain('deployment.apps/front is ready\n')
    expect(up.stdout).toContain('to reach front: gantry port-forward service/front 8080:8080')
    expect(await objects()).toHaveLength(6)
    compose('')
    const again = await gantry(`compose -f ${path} -p shop up -n ours`)
    expect(again.stdout).toContain('deployment.apps/more deleted\n')
    expect(await objects()).toHaveLength(4)
    const down = await gantry(`compose -f ${path} -p shop down -n ours`)
    expect(down.code, down.stderr).toBe(0)
    expect(await objects()).toEqual([])
    // What is in volumes is not taken away in passing, and can be later.
    const claims = async () => (await kubectl('get pvc -n ours -o name')).stdout.trim()
    expect(down.stdout).toContain('persistentvolumeclaim/state kept: `gantry compose down --volumes` deletes it\n')
    expect(await claims()).toBe('persistentvolumeclaim/state')
    const all = await gantry(`compose -f ${path} -p shop down -v -n ours`)
    expect(all.stdout).toBe('persistentvolumeclaim/state deleted\n')
    await until(async () => (await claims()) === '', { message: 'the claim has gone' })
  })

  test('says what does here what compose does by another word', async () => {
    const path = compose('')
    expect((await gantry(`compose -f ${path} -p shop ps`)).stderr).toBe(
      'error: there is no `gantry compose ps`. What does it: gantry get pods -l app.kubernetes.io/part-of=shop\n',
    )
    expect((await gantry(`compose -f ${path} -p shop logs front`)).stderr).toContain('gantry logs -l')
    expect((await gantry(`compose -f ${path} dance`)).stderr).toBe(
      'error: there is no `gantry compose dance`: say what to do: gantry compose up, down or convert\n',
    )
  })

  test('is converted to what kubectl takes', async () => {
    const { stdout } = await gantry(`compose -f ${compose('')} convert`)
    const tried = await kubectl('apply -n theirs --dry-run=server -f -', { input: stdout })
    expect(tried.stdout.match(/created \(server dry run\)/g), tried.stderr).toHaveLength(5)
  })
})

describe('what kubectl has not', () => {
  test('tree: what an object owns, needs and is used by, with its health', async () => {
    const { stdout } = await gantry('tree deployment/hello')
    expect(stdout).toMatch(/^deployment\.apps\/hello +3\/3\n├─ owns\n│ {2}└─ replicaset\.apps\/hello-\S+ +3\/3\n/)
    expect(stdout.match(/─ pod\/hello-\S+ +Running 1\/1\n/g)).toHaveLength(3)
    expect(stdout).toMatch(
      /├─ needs\n│ {2}├─ configmap\/hello\n│ {2}└─ secret\/hello\n└─ is used by\n {3}└─ service\/hello\n/,
    )
    expect((await gantry('tree deployments')).stderr).toContain('say of which object: gantry tree TYPE/NAME')
  })

  test('status: nodes, what is not as it should be and why, and warnings', async () => {
    const { stdout: well, code } = await gantry('status')
    expect(code).toBe(0)
    expect(well).toMatch(/^1 of 1 nodes are ready, \d+ of \d+ pods\.\n\nNODE +PODS +CPU +MEMORY +STATUS\nvm +\d/)
    const stuck = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'stuck' },
      spec: {
        selector: { matchLabels: { app: 'stuck' } },
        template: {
          metadata: { labels: { app: 'stuck' } },
          spec: {
            containers: [{ name: 'app', image: 'gantry.local/hello:1', envFrom: [{ configMapRef: { name: 'no' } }] }],
          },
        },
      },
    }
    await cluster.kubectl('apply -n ours -f -', { input: JSON.stringify(stuck) })
    const ill = await until(
      async () => {
        const { stdout } = await gantry('status')
        return /deployment\.apps\/stuck +0\/1 +create the configmap no: /.test(stdout) && stdout
      },
      { timeoutMs: 60_000, message: 'a reason for what is stuck' },
    )
    expect(ill).toMatch(/WARNING +AGE +REASON +MESSAGE\n(.*\n)*ours\/pod\/stuck-\S+ /)
    const { stdout: own } = await gantry('status -n ours')
    expect(own).toMatch(/^1 of 1 nodes are ready, 0 of 1 pods\.\n(.*\n)*ours\/deployment\.apps\/stuck /)
    const { stdout: other } = await gantry('status -n default')
    expect(other).not.toContain('stuck')
    await cluster.kubectl('delete deployment stuck -n ours')
  })
})

describe('reaching in', () => {
  test('port-forward goes on when its pod is replaced', async () => {
    const [program = '', ...rest] = [...cluster.enter, process.execPath, gantryPath]
    const args = ['port-forward', 'deployment/hello', ':8080', `--kubeconfig=${cluster.kubeconfig}`]
    const child = spawn(program, [...rest, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
    try {
      await until(async () => /127\.0\.0\.1:\d+ -> 8080/.test(said))
      const url = `http://127.0.0.1:${/127\.0\.0\.1:(\d+)/.exec(said)?.[1]}/`
      expect(await cluster.call(url)).toContain('Hello')
      await cluster.kubectl('delete pods -l app=hello --now')
      await until(async () => /connected to pod/.test(said), { timeoutMs: 60_000, message: 'another pod' })
      expect(await cluster.call(url)).toContain('Hello')
    } finally {
      child.kill()
    }
  })

  test('cp, there and back', async () => {
    const pod = (await kubectl('get pods -l app=hello --field-selector=status.phase=Running -o name')).stdout.split(
      '\n',
    )[0]
    const name = pod?.split('/')[1]
    const from = file('there.txt', 'there and back')
    const there = `${directory}/in-the-pod.txt`
    expect(await gantry(`cp ${from} ${name}:${there}`)).toMatchObject({ code: 0 })
    expect(await gantry(`cp default/${name}:${there} ${directory}/back.txt`)).toMatchObject({ code: 0 })
    expect(readFileSync(`${directory}/back.txt`, 'utf8')).toBe('there and back')
    expect((await gantry(`cp ${directory}/nothing ${name}:/tmp/x`)).stderr).toContain(
      "doesn't exist in local filesystem",
    )
  })
})
