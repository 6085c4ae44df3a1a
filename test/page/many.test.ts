import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client } from '../../client/client.ts'
import { loadConfig } from '../../client/config.ts'
import { startBrowser, type TestBrowser, withoutBrowser } from '../support/browser.ts'
import { runGantry } from '../support/cluster.ts'
import { startServer, type TestServer } from '../support/server.ts'

// How much the page is, and how much it bears.

const built = fileURLToPath(new URL('../../dist/ui', import.meta.url))

test('all files of the page together are less than 200 KB as they are sent', () => {
  const sizes = readdirSync(built).map((name) => statSync(`${built}/${name}`).size)
  expect(sizes.length).toBeGreaterThan(3)
  expect(sizes.reduce((total, size) => total + size, 0)).toBeLessThan(200_000)
})

describe.skipIf(withoutBrowser())('with 5,000 pods on 100 nodes', () => {
  const count = 5000
  let server: TestServer
  let browser: TestBrowser

  beforeAll(async () => {
    server = await startServer({ args: ['--disable-admission-plugins=ServiceAccount'] })
    const client = new Client(loadConfig({ kubeconfig: server.kubeconfig, env: {} }))
    const objects = [
      ...Array.from({ length: 100 }, (_, i) => node(i)),
      ...Array.from({ length: count }, (_, i) => pod(i)),
    ]
    for (let i = 0; i < objects.length; i += 100) {
      const operations = objects.slice(i, i + 100).map((object) => ({ operation: 'create', object }))
      const answer = await client.raw('POST', '/apis/gantry.dev/v1/transactions', {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ apiVersion: 'gantry.dev/v1', kind: 'Transaction', spec: { operations } }),
      })
      answer.resume()
    }
    client.close()
    browser = await startBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('what is in sight is drawn, and the last is a key away', async () => {
    const { page } = await browser.open({ viewport: { width: 1300, height: 900 } })
    const { stdout } = await runGantry(['dashboard', '--kubeconfig', server.kubeconfig])
    await page.goto(stdout.trim())
    await page.getByRole('heading', { level: 1, name: 'The cluster' }).waitFor()
    const { origin } = new URL(page.url())
    await page.goto(`${origin}/ui/#/pods`)
    await page.getByText(`${count} of ${count}`).waitFor()
    const rows = page.getByRole('row')
    expect(await rows.count()).toBeLessThan(60)
    await page.getByRole('rowgroup').focus()
    await page.keyboard.press('End')
    await page.getByRole('link', { name: 'default/p4999' }).waitFor()
    expect(await rows.count()).toBeLessThan(60)
    await page.getByLabel('Filter by name').fill('p4321')
    await page.getByText(`1 of ${count}`).waitFor()
    await page.goto(`${origin}/ui/#/nodes`)
    await page.getByRole('group', { name: /^50 pods on n000/ }).waitFor()
    expect(await page.locator('*').count()).toBeLessThan(4000)
  })
})

const number = (i: number, digits: number) => String(i).padStart(digits, '0')

const node = (i: number) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: `n${number(i, 3)}` },
  status: { allocatable: { cpu: '16', memory: '64Gi', pods: '110' }, conditions: [{ type: 'Ready', status: 'True' }] },
})

const pod = (i: number) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `p${number(i, 4)}`, namespace: 'default' },
  spec: {
    nodeName: `n${number(i % 100, 3)}`,
    containers: [{ name: 'main', image: 'app', resources: { requests: { cpu: '200m', memory: '512Mi' } } }],
  },
})
