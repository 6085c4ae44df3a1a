import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { namespaceWithAccount } from './namespace.ts'

const directory = fileURLToPath(new URL('../../manifests/examples', import.meta.url))
const files = readdirSync(directory).sort()

const janitor = '--as=system:serviceaccount:examples:janitor'
const resized = { name: 'elastic', resources: { requests: { cpu: '300m' }, limits: { cpu: '300m' } } }

/** What can be seen of an example without nodes and controllers: a command, and what is said to it. */
const effects: Readonly<Record<string, readonly (readonly [command: string, said: string | RegExp])[]>> = {
  'calendar.yaml': [['create job books-now --from=cronjob/close-books', 'created']],
  'certificate.yaml': [['certificate approve anna', 'approved']],
  'cluster-roles.yaml': [['auth can-i list nodes --as=anna --as-group=operators', /^yes/m]],
  'hello-web.yaml': [['set image deployment/hello-web server=nginx:1.30', 'image updated']],
  'nightly-report.yaml': [['create job report-again --from=cronjob/nightly-report', 'created']],
  'policy.yaml': [
    ['create deployment many --image=x --replicas=6 -n strict --dry-run=server', '6 replicas are more than 5'],
    ['create deployment few --image=x -n strict --dry-run=server -o jsonpath={.metadata.labels}', '"checked":"yes"'],
  ],
  'priority.yaml': [
    ['get pod payment -o jsonpath={.spec.priority}', '100000'],
    ['get pod cleanup -o jsonpath={.spec.preemptionPolicy}', 'Never'],
  ],
  'resize.yaml': [
    [`patch pod elastic --subresource=resize -p ${JSON.stringify({ spec: { containers: [resized] } })}`, 'patched'],
  ],
  'restricted.yaml': [
    ['create deployment x --image=x -n careful --dry-run=server', 'would violate PodSecurity "restricted:latest"'],
  ],
  'service-account.yaml': [
    [`auth can-i delete pods ${janitor}`, /^yes/m],
    [`auth can-i delete configmaps ${janitor}`, /^no/m],
  ],
  'services.yaml': [
    ['get service from-outside -o jsonpath={.spec.ports[0].nodePort}', /^3\d{4}$/],
    ['get endpointslices -l kubernetes.io/service-name=old-database', '192.0.2.10'],
  ],
  'start-order.yaml': [['get deployment orders -o jsonpath={..annotations}', 'gantry.dev/depends-on']],
  'team.yaml': [
    ['auth can-i create deployments -n garden --as=anna', /^yes/m],
    ['auth can-i create deployments -n garden --as=bert', /^no/m],
    ['create serviceaccount default -n garden', 'created'],
    ['run x --image=x -n garden --dry-run=server -o jsonpath={..resources}', '"requests":{"cpu":"50m"'],
  ],
}

describe('the examples', () => {
  let server: TestServer

  beforeAll(async () => {
    server = await startServer()
    await namespaceWithAccount(server, 'examples')
    await server.kubectl('config set-context --current --namespace=examples')
  })
  afterAll(() => server?.stop())

  test.each(files)(
    '%s applies without a warning, changes nothing when applied again, does what it says',
    async (file) => {
      const path = join(directory, file)
      // Not kubectl's word for it: it says "configured" of every patch it sent, whatever came of it.
      const apply = () => server.kubectl(['apply', '-f', path, '-o', 'jsonpath={..metadata.resourceVersion}'])
      const first = await apply()
      expect(first.stderr).toBe('')
      let last = first.stdout
      const isUnchanged = async () => {
        const before = last
        last = (await apply()).stdout
        return last === before
      }
      // Asked again: now and then the server has more to say of one, such as that the kind is served.
      await until(isUnchanged, { message: 'no change', timeoutMs: 5000 })
      for (const [command, said] of effects[file] ?? []) {
        let heard = ''
        const isSo = async () => {
          const { stdout, stderr } = await server.kubectl(command, { codes: [1] })
          heard = stdout + stderr
          return typeof said === 'string' ? heard.includes(said) : said.test(heard)
        }
        await until(isSo, { timeoutMs: 5000 }).catch(() => expect(heard, command).toMatch(said))
      }
      await server.kubectl(['delete', '--wait=false', '-f', path])
    },
  )

  test('stand as they are written: a diff shows nothing that was added', async () => {
    const path = join(directory, 'careful-rollout.yaml')
    await server.kubectl(['apply', '-f', path])
    expect((await server.kubectl(['diff', '-f', path])).stdout).toBe('')
  })

  test('that are said to do something are there', () => {
    expect(files).toEqual(expect.arrayContaining(Object.keys(effects)))
  })
})
