import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { withOwnCluster } from '../own-cluster.ts'

const help = `Starts a cluster in a directory of its own and drives its controllers: API server, scheduler and controller manager
are ours, the nodes are hollow and live in the load generator.

  --scale N               a hundredth to ten times the usual sizes (default 1)
  --only WORD             scenarios whose name contains it
  --store embedded|etcd   default embedded
  --json                  machine-readable
`

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    store: { type: 'string', default: 'embedded' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(help)
  process.exit(0)
}

const main = fileURLToPath(new URL('main.mjs', import.meta.url))
await withOwnCluster(['--runtime', 'hollow', '--store', values.store], main, ({ kubeconfig, pid }) => [
  ...['--kubeconfig', kubeconfig, '--scale', values.scale, '--only', values.only],
  ...['apiserver', 'scheduler', 'controller-manager'].flatMap((name) => [`--${name}-pid`, pid(name)]),
  ...(values.json ? ['--json'] : []),
])
