import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parseAllDocuments } from 'yaml'
import type { AnyObject } from '../../api/machinery/object.ts'
import { alignRows } from '../../cli/print/table.ts'
import { nodes, priorityClasses } from '../../client/resources.ts'
import { imaginedNodes, podsOf } from './pods-of.ts'
import { reach } from './reach.ts'
import { Simulation } from './simulation.ts'

const help = `Usage: gantry plan -f FILE [flags]

Places the pods that a manifest asks for against the cluster as it is now, by the scheduler's own rules, and says where they
would go, or why they would not. Nothing is created.

  -f, --filename FILE    a manifest; - is standard input; may be given several times
  -n, --namespace NAME   of objects that name none; default that of the kubeconfig
  --nodes N×CPUS         imagine these nodes, empty, in place of the cluster's: 5000x32cpu, 3x4cpu,16Gi
  --kubeconfig FILE
`

type Manifest = AnyObject & { apiVersion: string; kind: string; items?: Manifest[] }

/** `gantry plan`. Resolves to 1 when a pod finds no place. */
export async function plan(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      filename: { type: 'string', short: 'f', multiple: true, default: [] },
      namespace: { type: 'string', short: 'n' },
      nodes: { type: 'string' },
      kubeconfig: { type: 'string', default: '' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  if (values.filename.length === 0) {
    process.stderr.write(`gantry plan: name a manifest with -f\n\n${help}`)
    return 2
  }
  const objects = values.filename.flatMap(manifestsOf)
  const imagined = values.nodes === undefined ? undefined : imaginedNodes(values.nodes)
  const { api, namespace } = reach(values.kubeconfig)
  try {
    const simulation = await Simulation.of(api, imagined)
    const all = imagined ?? (await api.list(nodes)).items
    const priorities = new Map(
      (await api.list(priorityClasses)).items.map(({ metadata, value = 0 }) => [metadata.name, value]),
    )
    const rows: string[][] = []
    const misfits: string[] = []
    for (const object of objects) {
      const wanted = podsOf(object, all, { namespace: values.namespace ?? namespace, priorities })
      if (!wanted) continue
      const outcomes = simulation.place(wanted.pods)
      const placed = outcomes.flatMap((outcome) => ('nodeName' in outcome ? [outcome.nodeName] : []))
      rows.push([wanted.owner, `${placed.length}/${wanted.pods.length}`, spreadText(placed)])
      const reasons = new Set(outcomes.flatMap((outcome) => ('why' in outcome ? [outcome.why] : [])))
      misfits.push(...[...reasons].map((why) => `${wanted.owner}: ${why}`))
    }
    if (rows.length === 0) process.stdout.write('Nothing in it makes pods.\n')
    else process.stdout.write(alignRows([['WORKLOAD', 'PLACED', 'NODES'], ...rows]))
    for (const line of misfits) process.stdout.write(`\n${line}\n`)
    return misfits.length > 0 ? 1 : 0
  } finally {
    api.close()
  }
}

function manifestsOf(file: string): Manifest[] {
  const text = readFileSync(file === '-' ? 0 : file, 'utf8')
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0]) throw new Error(`${file}: ${document.errors[0].message}`)
    const object = document.toJS() as Manifest | null
    return object === null ? [] : (object.items ?? [object])
  })
}

const shownNodes = 4

/** `node-1 ×2, node-2`: nodes with most first. */
function spreadText(placed: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const node of placed) counts.set(node, (counts.get(node) ?? 0) + 1)
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b))
  const shown = sorted.slice(0, shownNodes).map(([node, count]) => (count > 1 ? `${node} ×${count}` : node))
  const more = sorted.length - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ')
}
