/**
 * How long `gantry get pods` takes from the start of its process to its end, beside kubectl's and beside a Node program
 * that does nothing: the median of many runs, taken in turns, against an API server that this starts.
 *
 * Arguments: how many runs of each; default 31.
 */
import { spawnSync } from 'node:child_process'
import { startServer } from '../test/support/server.ts'

const runs = Number(process.argv[2] ?? 31)
const server = await startServer()
try {
  await server.kubectl('create configmap some --from-literal=a=b')
  const asked = ['get', 'pods', '-A', `--kubeconfig=${server.kubeconfig}`]
  const commands: Record<string, string[]> = {
    gantry: ['bin/gantry', ...asked],
    kubectl: ['kubectl', ...asked],
    'node, doing nothing': [process.execPath, '-e', '0'],
  }
  const times = new Map(Object.keys(commands).map((name) => [name, [] as number[]]))
  for (let i = 0; i < runs; i++) {
    for (const [name, [program = '', ...args]] of Object.entries(commands)) {
      const startedAt = performance.now()
      const { error, status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
      if (error || status !== 0) throw error ?? new Error(`${name}: ${stderr}`)
      times.get(name)?.push(performance.now() - startedAt)
    }
  }
  for (const [name, all] of times) {
    const sorted = all.sort((a, b) => a - b)
    const at = (part: number) => `${sorted[Math.floor((sorted.length - 1) * part)]?.toFixed(0)} ms`
    console.log(`${name}: median ${at(0.5)}, fastest ${at(0)}, nine of ten within ${at(0.9)}`)
  }
} finally {
  await server.stop()
}
