import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { withOwnCluster } from '../own-cluster.ts'

const help = `Starts a cluster of one node with real containers in a directory of its own, and has it run pods with volumes: an
empty directory in memory, a config map, a secret, and a claim of the class local-path. Needs root and containerd.

  --pods N    how many (default 100)
  --idle N    seconds for which the node is watched when all is there (default 30)
  --json      machine-readable
`

const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '100' },
    idle: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(help)
  process.exit(0)
}

const node = hostname().toLowerCase()
const room = `--extra-config=node-agent.max-pods=${Number(values.pods) + 10}`
const main = fileURLToPath(new URL('main.mjs', import.meta.url))
await withOwnCluster(['--runtime', 'containerd', room], main, ({ kubeconfig, pid }) => [
  ...['--kubeconfig', kubeconfig, '--node', node, '--agent-pid', pid(`agent-${node}`)],
  ...['--pods', values.pods, '--idle', values.idle],
  ...(values.json ? ['--json'] : []),
])
