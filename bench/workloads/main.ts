import { parseArgs } from 'node:util'
import { Client } from '../../client/client.ts'
import { loadConfig } from '../../client/config.ts'
import { nodes } from '../../client/resources.ts'
import { HollowNodes } from '../../cluster/testing/hollow-nodes.ts'
import { ApiCalls } from './api-calls.ts'
import { scenarios } from './scenarios.ts'
import { type Processes, type Result, Stage } from './stage.ts'

const help = `Drives the controllers of any Kubernetes cluster and prints how many objects they move per second. The nodes are hollow
and live in this process; nodes that are there already are cordoned.

  --kubeconfig FILE                          the cluster (default $KUBECONFIG)
  --apiserver-pid, --scheduler-pid, --controller-manager-pid N
                                             processes whose time and memory are told
  --nodes N                                  hollow nodes (default: enough for the pods)
  --scale N                                  a hundredth to ten times the usual sizes (default 1)
  --only WORD                                scenarios whose name contains it
  --json                                     machine-readable
`

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: process.env.KUBECONFIG ?? '' },
    'apiserver-pid': { type: 'string', default: '' },
    'scheduler-pid': { type: 'string', default: '' },
    'controller-manager-pid': { type: 'string', default: '' },
    nodes: { type: 'string', default: '' },
    scale: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const scale = Number(values.scale)
if (values.help || values.kubeconfig === '' || !(scale > 0)) {
  process.stdout.write(help)
  process.exit(values.help ? 0 : 2)
}

const api = new Client(loadConfig({ kubeconfig: values.kubeconfig }))
const abort = new AbortController()
const stage = new Stage(api)
for (const { metadata } of (await api.list(nodes)).items) {
  await api.patch(nodes, { name: metadata.name }, { type: 'merge', body: { spec: { unschedulable: true } } })
}
const podsPerNode = 200
const count = Number(values.nodes) || Math.max(10, Math.ceil((25_000 * scale) / podsPerNode))
const fleet = new HollowNodes(api, {
  count,
  ready: (pod) => stage.ready(pod),
  gone: (pod) => stage.gone(pod),
})
await fleet.start(abort.signal)
const processes: Processes = {
  apiserver: Number(values['apiserver-pid']),
  scheduler: Number(values['scheduler-pid']),
  'controller-manager': Number(values['controller-manager-pid']),
}
const calls = new ApiCalls(api)
const say = (line: string) => (values.json ? undefined : process.stdout.write(`${line}\n`))
say(`${count} hollow nodes, sizes × ${scale}`)
const results: Result[] = []
for (const { name, run } of scenarios) {
  if (!name.includes(values.only)) continue
  const result = await stage.measure(name, processes, calls, () => run(stage, scale))
  results.push(result)
  for (const line of linesOf(result)) say(line)
}
if (values.json) process.stdout.write(`${JSON.stringify({ nodes: count, scale, results }, null, 2)}\n`)
abort.abort()
api.close()
process.exit(0)

function linesOf({ name, objects, unit, seconds, note, used, calls: made }: Result): string[] {
  const head = `${name.padEnd(46)} ${(objects / seconds).toFixed(0).padStart(6)} ${unit}/s  ${seconds.toFixed(1)} s${note ? `  ${note}` : ''}`
  const spent = Object.entries(used).map(
    ([component, { cpuSeconds, memoryMb }]) => `${component} ${cpuSeconds.toFixed(1)} s, ${memoryMb.toFixed(0)} MB`,
  )
  const top = made.map(({ what, perObject }) => `${what} ${perObject.toFixed(2)}`)
  return [head, `    cpu, memory: ${spent.join('; ')}`, `    calls per object: ${top.join(', ')}`]
}
