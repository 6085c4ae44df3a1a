import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBrowser, type TestBrowser, type WatchedPage, withoutBrowser } from '../support/browser.ts'
import { type KubeItem, runGantry, startCluster, type TestCluster } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// The page in a browser, against a cluster whose containers are plain processes.

const isRoot = process.getuid?.() === 0
const manifests = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 3
  minReadySeconds: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: none
        command: [sh, -c, 'i=0; while true; do i=$((i+1)); echo "line $i"; sleep 0.3; done']
        resources: {requests: {cpu: 10m, memory: 8Mi}}
---
apiVersion: v1
kind: Pod
metadata: {name: greedy, namespace: default}
spec:
  containers: [{name: main, image: none, command: [sleep, '1000'], resources: {requests: {cpu: 9k}}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: reader, namespace: default}]
`

describe.skipIf(withoutBrowser())('the page', () => {
  let cluster: TestCluster
  let browser: TestBrowser
  let admin: WatchedPage
  let files: string

  const link = async () =>
    (await runGantry(['dashboard', '--kubeconfig', cluster.kubeconfig], cluster.enter)).stdout.trim()
  const go = async (page: Page, path: string) => {
    // Only what is behind the # changes: the page stays.
    await page.goto(`${new URL(page.url()).origin}/ui/#/${path}`)
  }
  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()
  const aPod = async () => {
    const { items } = await cluster.get('pods -l app=web')
    const stays = items.find(({ metadata, status }) => status.phase === 'Running' && !('deletionTimestamp' in metadata))
    return stays?.metadata.name ?? ''
  }

  beforeAll(async () => {
    cluster = await startCluster(['--runtime', 'process'], { ownMachine: isRoot })
    files = mkdtempSync(join(tmpdir(), 'gantry-page-'))
    writeFileSync(join(files, 'all.yaml'), manifests)
    await cluster.kubectl(`apply -f ${join(files, 'all.yaml')}`)
    browser = await startBrowser(cluster.enter)
    admin = await browser.open()
    await admin.page.goto(await link())
    await heading(admin.page, 'The cluster')
    await cluster.kubectl('rollout status deployment/web --timeout=60s')
  })
  afterAll(async () => {
    await browser?.close()
    await cluster?.down()
    rmSync(files, { recursive: true, force: true })
  })

  test('a link lets one in once, and leaves nothing in the address', async () => {
    const address = await link()
    const { page } = await browser.open()
    await page.goto(address)
    await heading(page, 'The cluster')
    expect(page.url()).not.toContain('login')
    await page.getByText('kubernetes-admin').waitFor()
    const { page: late } = await browser.open()
    await late.goto(address)
    await late.getByRole('alert').getByText('has been used or is too old').waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByText('You have logged out').waitFor()
    await page.reload()
    await page.getByLabel('Or paste a bearer token').waitFor()
  })

  test('every view is drawn, and nothing but the server is talked to', async () => {
    const { page, complaints, asked } = admin
    for (const [path, title, shows] of [
      ['overview', 'The cluster', 'Every workload is as it should be.'],
      ['workloads', 'Workloads', 'As wanted'],
      ['pods', 'Pods', 'default/greedy'],
      ['nodes', 'Nodes', 'Ready'],
      ['events', 'Events', 'Pod/'],
      ['kinds', 'Everything else', 'ConfigMap'],
      ['kinds/core/v1/serviceaccounts', 'ServiceAccount', 'default/reader'],
      ['object/apps/v1/deployments/default/web', 'web', 'ReplicaSet'],
      [`object/core/v1/pods/default/${await aPod()}`, 'web-', 'Containers'],
    ] as const) {
      await go(page, path)
      await heading(page, title)
      await page.getByRole('main').getByText(shows).first().waitFor()
    }
    expect(complaints).toEqual([])
    const { host } = new URL(page.url())
    expect(asked.filter((url) => new URL(url).host !== host)).toEqual([])
  })

  test('it says why a pod waits, in the words of the scheduler', async () => {
    const { page } = admin
    await go(page, 'overview')
    await page.getByRole('region', { name: 'Pods that wait or fail' }).getByText('Insufficient cpu').waitFor()
    await go(page, 'object/core/v1/pods/default/greedy')
    await page.getByRole('note').getByText('Insufficient cpu').waitFor()
  })

  test('nodes are drawn with their pods, which the arrow keys go through', async () => {
    const { page } = admin
    await go(page, 'nodes')
    const bar = page.getByRole('group', { name: /pods on/ })
    const pods = bar.getByRole('link')
    await until(async () => (await pods.count()) === 3, { message: 'three pods are drawn' })
    await pods.first().focus()
    await page.keyboard.press('ArrowRight')
    expect(await bar.locator(':focus').getAttribute('href')).toBe(await pods.nth(1).getAttribute('href'))
    await page.keyboard.press('Enter')
    await page.getByRole('navigation', { name: /^Views of web-/ }).waitFor()
  })

  test('a rollout moves while one looks', async () => {
    const { page } = admin
    await go(page, 'workloads')
    const row = page.getByRole('row', { name: /default\/web/ })
    await row.getByText('As wanted').waitFor()
    const rolling = row.getByText(/Rolling out, \d of 3/).waitFor()
    await cluster.kubectl('set env deployment/web COLOUR=blue')
    await rolling
    await row.getByText('As wanted').waitFor()
    expect(await row.getByRole('meter').getAttribute('aria-valuetext')).toBe('3 of 3 ready')
  })

  test('a workload is scaled and restarted, once one has said so twice', async () => {
    const { page } = admin
    await go(page, 'object/apps/v1/deployments/default/web')
    const actions = page.getByRole('region', { name: 'What to do with web' })
    await actions.getByRole('button', { name: 'Scale…' }).click()
    await actions.getByRole('spinbutton', { name: /Replicas, 3 now/ }).fill('4')
    expect((await cluster.get<KubeItem>('deployment web')).spec.replicas).toBe(3)
    await actions.getByRole('button', { name: 'Scale to 4' }).click()
    await until(async () => (await cluster.get<KubeItem>('deployment web')).spec.replicas === 4, {
      message: 'four are wanted',
    })
    await actions.getByRole('button', { name: 'Restart…' }).click()
    await actions.getByRole('button', { name: 'Leave it' }).click()
    await actions.getByRole('button', { name: 'Restart…' }).click()
    await actions.getByRole('button', { name: 'Restart web' }).click()
    const restarted = async () =>
      (await cluster.kubectl('get deployment web -o jsonpath={.spec.template.metadata.annotations}')).stdout
    await until(async () => (await restarted()).includes('restartedAt'), { message: 'it is restarted' })
    await cluster.kubectl('scale deployment web --replicas=3')
    await cluster.kubectl('rollout status deployment/web --timeout=60s')
  })

  test('a log goes on as it is printed, and can be filtered', async () => {
    const { page } = admin
    await go(page, `object/core/v1/pods/default/${await aPod()}/logs`)
    const log = page.getByRole('log')
    await log
      .getByText(/^line \d+$/)
      .first()
      .waitFor()
    const lines = log.getByText(/^line \d+$/)
    const last = async () => Number((await lines.last().textContent())?.slice('line '.length))
    const before = await last()
    await until(async () => (await last()) > before + 2, { message: 'more is printed' })
    await page.getByLabel('Filter lines').fill('no line says this')
    await page.getByText('No line has these words').waitFor()
  })

  test('an edit is shown as the server would take it, and applied then', async () => {
    const { page } = admin
    await go(page, 'object/apps/v1/deployments/default/web/yaml')
    const text = page.getByLabel('YAML of web')
    const replicas = async () => (await cluster.get<{ spec: { replicas: number } }>('deployment web')).spec.replicas
    await page.getByRole('button', { name: 'Edit' }).click()
    const yaml = await text.inputValue()
    expect(yaml).not.toContain('managedFields')
    await text.fill(yaml.replace('  replicas: 3', '  replicas: many'))
    await page.getByRole('button', { name: 'Show what would change' }).click()
    await page.getByRole('alert').getByText('replicas').waitFor()
    await text.fill(yaml.replace('  replicas: 3', '  replicas: 2'))
    await page.getByRole('button', { name: 'Show what would change' }).click()
    const diff = page.getByLabel('What would change')
    await diff.getByText('replicas: 2').waitFor()
    expect(await diff.textContent()).toMatch(/removed: *replicas: 3/)
    expect(await replicas()).toBe(3)
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.getByText('Applied.').waitFor()
    expect(await replicas()).toBe(2)
    // Those that follow must not pick the pod that goes.
    await until(async () => (await cluster.get('pods -l app=web')).items.length === 2, { message: 'two pods are left' })
  })

  test('an edit of what somebody else has changed meanwhile is refused', async () => {
    const { page } = admin
    await go(page, 'overview')
    await go(page, 'object/apps/v1/deployments/default/web/yaml')
    await page.getByRole('button', { name: 'Edit' }).click()
    const text = page.getByLabel('YAML of web')
    await text.fill((await text.inputValue()).replace('  replicas: 2', '  replicas: 4'))
    await cluster.kubectl('annotate deployment web meanwhile=true')
    await page.getByRole('button', { name: 'Show what would change' }).click()
    await page.getByRole('alert').getByText('Somebody else has changed this Deployment meanwhile').waitFor()
    await page.getByRole('button', { name: 'Give up' }).click()
    await until(async () => (await text.inputValue()).includes('meanwhile'), { message: 'the text is as it stands' })
  })

  test('a shell runs in the terminal, under the same policy', async () => {
    const { page, complaints } = admin
    await go(page, `object/core/v1/pods/default/${await aPod()}/terminal`)
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByText('Connected').waitFor()
    await page.keyboard.type('echo $((6*7))\n')
    // Typed before the shell was there, the command is shown before its first prompt, and the answer behind that.
    await page
      .getByText(/^([#$] )?42$/)
      .first()
      .waitFor()
    await page.keyboard.type('exit 3\n')
    await page.getByText(/^It has ended: .*exit status 3/).waitFor()
    expect(complaints.filter((text) => /Content Security|policy/i.test(text))).toEqual([])
  })

  test('what is used is measured, and drawn over time', async () => {
    const { page } = admin
    await go(page, 'overview')
    const chart = page.getByRole('figure', { name: /Memory used by the nodes/ })
    await chart.getByRole('img').waitFor({ timeout: 80_000 })
    expect(await chart.textContent()).toMatch(/\d+(\.\d)? [MG]i/)
    // All pods of a workload together: those of a replica set that has gone count, too.
    await go(page, 'object/apps/v1/deployments/default/web')
    const used = page.getByRole('region', { name: 'The last hours' }).getByRole('figure', { name: /Memory/ })
    await used.getByRole('img').waitFor({ timeout: 80_000 })
    expect(await used.textContent()).toMatch(/\d+(\.\d)? [KMG]i/)
  })

  test('who may see one namespace sees that, and is told of the rest', async () => {
    const token = (await cluster.kubectl('create token reader')).stdout.trim()
    const { page } = await browser.open()
    await page.goto(new URL(await link()).origin.concat('/ui/'))
    await page.getByLabel('Or paste a bearer token').fill('nonsense')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('alert').getByText('The server does not know this token').waitFor()
    await page.getByLabel('Or paste a bearer token').fill(token)
    await page.getByRole('button', { name: 'Log in' }).click()
    await heading(page, 'The cluster')
    await page.getByText('You may not see nodes.').waitFor()
    await go(page, 'pods')
    await page.getByText('You may not see pods.').waitFor()
    await page.getByText(/cannot list resource "pods" in API group "" at the cluster scope/).waitFor()
    await page.getByLabel('Namespace').fill('default')
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: /^web-/ }).first().waitFor()
    await go(page, 'kinds/core/v1/secrets')
    await page.getByText('You may not see secrets.').waitFor()
    await go(page, `object/core/v1/pods/default/${await aPod()}/terminal`)
    await page.getByRole('button', { name: 'Open' }).click()
    await page
      .getByRole('alert')
      .getByText(/cannot (get|create) resource "pods\/exec"/)
      .waitFor()
    await go(page, 'object/apps/v1/deployments/default/web/yaml')
    await page.getByRole('button', { name: 'Edit' }).click()
    const text = page.getByLabel('YAML of web')
    await text.fill((await text.inputValue()).replace('  replicas: 2', '  replicas: 5'))
    await page.getByRole('button', { name: 'Show what would change' }).click()
    await page.getByRole('alert').getByText('cannot update resource "deployments"').waitFor()
    const answered = page.waitForResponse(/selfsubjectaccessreviews/)
    await go(page, 'object/apps/v1/deployments/default/web')
    expect((await (await answered).json()).status.allowed).toBe(false)
    await page.getByRole('main').getByText('ReplicaSet').first().waitFor()
    expect(await page.getByRole('region', { name: 'What to do with web' }).count()).toBe(0)
  })

  test('one can look back, and see everything as it was', async () => {
    const { page } = admin
    await cluster.kubectl('scale deployment web --replicas=1')
    await cluster.kubectl('rollout status deployment/web --timeout=60s')
    await go(page, 'object/apps/v1/deployments/default/web/history')
    const scaled = page
      .getByRole('listitem')
      .filter({ hasText: /kubernetes-admin updated its scale/ })
      .first()
    await scaled.getByText('spec.replicas').waitFor()
    await go(page, 'workloads')
    const row = page.getByRole('row', { name: /default\/web/ })
    await row.getByText('1/1').waitFor()
    await page.getByRole('button', { name: 'Look back' }).click()
    const changes = page.getByLabel('Go to before a change')
    await changes.selectOption({ index: 1 })
    await page.getByText(/^As it was at/).waitFor()
    await row.getByText('2/2').waitFor()
    await go(page, 'object/apps/v1/deployments/default/web/yaml')
    await until(async () => (await page.getByLabel('YAML of web').inputValue()).includes('  replicas: 2'), {
      message: 'the manifest is as it was',
    })
    expect(await page.getByRole('button', { name: 'Edit' }).count()).toBe(0)
    await page.getByLabel('Moment').focus()
    await page.keyboard.press('End')
    await page.getByText('Now. Move the slider').waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('button', { name: 'Edit' }).waitFor()
  })

  test('light and dark are the system’s, until one chooses', async () => {
    const { page } = admin
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await ground()).toBe('rgb(19, 21, 25)')
    await page.getByLabel('Appearance').selectOption('light')
    expect(await ground()).toBe('rgb(247, 247, 245)')
    await page.getByLabel('Appearance').selectOption('')
    await page.emulateMedia({ colorScheme: 'light' })
  })

  test('everything one can use has a name, and the keyboard reaches it', async () => {
    const { page } = admin
    for (const path of ['overview', 'pods', 'object/apps/v1/deployments/default/web/yaml']) {
      await go(page, path)
      await page.getByRole('heading', { level: 1 }).waitFor()
      expect(await page.locator(usable).evaluateAll(withoutName)).toEqual([])
    }
    await go(page, 'pods')
    await page.getByRole('columnheader', { name: 'Age' }).getByRole('button').focus()
    await page.keyboard.press('Enter')
    await page.getByRole('columnheader', { name: 'Age' }).and(page.locator('[aria-sort=ascending]')).waitFor()
    await page.reload()
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').textContent()).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    expect(await page.locator(':focus').getAttribute('id')).toBe('main')
  })
})

const usable = 'a[href], button, input, select, textarea, [tabindex="0"], [role=img]'

/** An element, as far as its name is looked for: these tests know nothing of a browser's types. */
interface Usable {
  getAttribute(name: string): string | null
  ownerDocument: { getElementById(id: string): { textContent: string | null } | null }
  labels?: { textContent: string | null }[] | null
  textContent: string | null
  outerHTML: string
}

/** Runs in the page: what can be used and says nothing to who does not see it. */
const withoutName = (elements: Usable[]): string[] =>
  elements
    .filter((element) => {
      const by = element.getAttribute('aria-labelledby')
      const named = [
        element.getAttribute('aria-label'),
        by && element.ownerDocument.getElementById(by)?.textContent,
        element.labels?.[0]?.textContent,
        element.textContent,
      ]
      return !named.some((name) => name?.trim())
    })
    .map((element) => element.outerHTML.slice(0, 120))
