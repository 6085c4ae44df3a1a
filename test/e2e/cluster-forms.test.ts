import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { runGantry, startCluster, withoutContainers } from '../support/cluster.ts'
import { until } from '../support/until.ts'

// The other forms of a cluster on one machine.

const gantry = fileURLToPath(new URL('../../bin/gantry', import.meta.url))

describe.skipIf(withoutContainers())('clusters of other forms', () => {
  test('plain processes: the quickstart serves, and everything ends with the cluster', async () => {
    const cluster = await startCluster(['--runtime', 'process', '--quickstart'])
    try {
      expect(cluster.said).toMatch(/curl http:\/\/127\.96\./)
      expect(cluster.said).toContain('"greeting":"Hello from Gantry"')
      const { stdout } = await cluster.kubectl('get nodes -o wide')
      expect(stdout).toContain('process://')
    } finally {
      await cluster.down()
    }
  })

  test('hollow nodes over a private etcd: pods become ready without running anything', async () => {
    const cluster = await startCluster(['--runtime', 'hollow', '--nodes', '3', '--store', 'etcd'])
    try {
      expect(cluster.said).toContain('3 nodes are ready, on hollow')
      await cluster.kubectl('create deployment many --image=nowhere/at-all:1 --replicas=12')
      await cluster.kubectl('rollout status deployment/many --timeout=60s')
      const pods = (await cluster.get('pods -l app=many')).items
      expect(new Set(pods.map(({ spec }) => spec.nodeName)).size).toBe(3)
      process.kill(cluster.pid('etcd'), 'SIGKILL')
      await until(() => cluster.kubectl('create configmap survivor'), { timeoutMs: 30_000, message: 'etcd is back' })
      const other = await cluster.gantry(['down'])
      expect(other.stdout).toContain('The cluster has ended')
      const wrong = await cluster.gantry(['up', '--store', 'embedded'])
      expect(wrong.stderr).toContain('this cluster keeps its objects in etcd')
      expect((await cluster.gantry(['up', '--detach'])).code).toBe(0)
      expect((await cluster.kubectl('get configmap survivor')).stdout).toContain('survivor')
    } finally {
      await cluster.down()
    }
  })

  test('in the foreground it stays until Ctrl-C, and then nothing is left', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gantry-foreground-'))
    const flags = ['--data-dir', join(directory, 'data')]
    const child = spawn(process.execPath, [gantry, 'up', '--runtime', 'hollow', '--port', '0', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
    const gone = new Promise<number | null>((resolve) => child.once('exit', resolve))
    try {
      await until(() => said.includes('Ctrl-C ends it'), { timeoutMs: 60_000, message: 'the cluster is up' })
      child.kill('SIGINT')
      expect(await gone).toBe(0)
      expect(said).toContain('Stopping. Everything is kept')
      const { stdout, code } = await runGantry(['status', ...flags])
      expect(stdout).toContain('The cluster does not run')
      expect(code).toBe(1)
    } finally {
      await runGantry(['down', '--delete-data', ...flags])
      rmSync(directory, { recursive: true, force: true })
    }
  })

  test('a port that is taken is told in words', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gantry-taken-'))
    const flags = (name: string) => ['--runtime', 'hollow', '--data-dir', join(directory, name)]
    try {
      expect((await runGantry(['up', '--detach', '--port', '0', ...flags('one')])).code).toBe(0)
      const { stdout } = await runGantry(['status', '--data-dir', join(directory, 'one')])
      expect(stdout).toContain('supervisor')
      const { port } = JSON.parse(readFileSync(join(directory, 'one/cluster.json'), 'utf8')) as { port: number }
      const second = await runGantry(['up', '--detach', '--port', String(port), ...flags('two')])
      expect(second.stderr).toContain(`port ${port} is taken. Choose another with --port`)
      expect(second.code).toBe(1)
    } finally {
      for (const name of ['one', 'two']) await runGantry(['down', '--delete-data', '--data-dir', join(directory, name)])
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
