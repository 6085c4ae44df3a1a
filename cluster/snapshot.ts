import { parseArgs } from 'node:util'
import { parseConfig } from '../apiserver/config.ts'
import { storeOptions } from '../apiserver/start.ts'
import { cloneCluster } from './clone.ts'
import { restoreCluster, saveCluster } from './snapshot-parts/cluster.ts'

const help = `Usage: gantry snapshot save|restore FILE [flags]
       gantry snapshot clone DIR [flags]

Saves all objects of a cluster, or of an etcd, to one file, and brings them back; or makes another cluster of them, which
\`gantry up --data-dir DIR\` starts beside the first. A restore brings back all that the file has. The cluster may run, but not
for a restore, and not for images and volumes.

  --data-dir DIR        where the cluster is kept (default .gantry)
  --images              save, clone: the images on its nodes, too
  --volumes             save, clone: what is in volumes of our own drivers, and their snapshots, too
  --etcd-servers U,…    the store is this etcd
  --etcd-prefix P       prefix of all keys in etcd (default /registry)
  --force               restore: replace what is there
`

/** `gantry snapshot save|restore FILE`. */
export async function snapshot(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'data-dir': { type: 'string', default: '.gantry' },
      'etcd-servers': { type: 'string', default: '' },
      'etcd-prefix': { type: 'string', default: '/registry' },
      images: { type: 'boolean', default: false },
      volumes: { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [verb, path] = positionals
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  if ((verb !== 'save' && verb !== 'restore' && verb !== 'clone') || path === undefined || positionals.length > 2) {
    process.stderr.write(`gantry snapshot: say what to do, and with which file\n\n${help}`)
    return 2
  }
  const config = parseConfig(
    ['data-dir', 'etcd-servers', 'etcd-prefix'].map((name) => `--${name}=${values[name as 'data-dir']}`),
  )
  const store = storeOptions(config, (error) => process.stderr.write(`${String(error)}\n`))
  try {
    const startedAt = performance.now()
    const { 'data-dir': dataDir, images, volumes, force } = values
    const summary =
      verb === 'save'
        ? await saveCluster({ store, dataDir, path, parts: { images, volumes } })
        : verb === 'clone'
          ? await cloneCluster(store, dataDir, path, { images, volumes })
          : await restoreCluster({ store, dataDir, path, force })
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    const what = { save: 'saved', restore: 'restored', clone: 'cloned' }[verb]
    const others = [
      summary.images > 0 ? `, ${summary.images} images` : '',
      summary.volumes > 0 ? `, the volumes of ${summary.volumes} nodes` : '',
    ].join('')
    process.stdout.write(
      `${what} ${summary.entries} objects at revision ${summary.revision}${others} in ${seconds} s\n`,
    )
    return 0
  } catch (error) {
    process.stderr.write(`gantry snapshot ${verb}: ${(error as Error).message}\n`)
    return 1
  }
}
