import { parseArgs } from 'node:util'
import type { Pod } from '../../api/generated/types.ts'
import { podHint } from '../../cli/describe/pod-hint.ts'
import { alignRows } from '../../cli/print/table.ts'
import { isNotFound } from '../../client/errors.ts'
import type { Live } from '../../client/types.ts'
import type { Judged } from '../../scheduler/decisions/judge.ts'
import { remedies } from '../../scheduler/decisions/remedies.ts'
import { PodInfo } from '../../scheduler/framework/pod-info.ts'
import { askedPod, HasNoPods } from './asked-pod.ts'
import { askScheduler, decisionReport, schedulerOf } from './decided.ts'
import { reach } from './reach.ts'
import { Simulation } from './simulation.ts'

const help = `Usage: gantry why POD [flags]
       gantry why deployment/NAME [flags]   the one of its pods that is worst off; likewise other workloads

Says what the scheduler has decided about a pod, if the scheduler can be asked; else, or with --now, what it would make of it
on the cluster as it is now: for each node, which plugin refuses the pod and why, or the scores that decide; and for a pod
that has no place, what would have to change; for one that has a place and does not run there, what is in the way. Nothing is
changed.

  -n, --namespace NAME   default that of the kubeconfig
  --scheduler URL        where the scheduler answers; default that of the cluster of this directory
  --now                  work it out anew
  --nodes N              show so many nodes of each sort (default 10)
  --kubeconfig FILE
`

/** `gantry why POD`. */
export async function why(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      namespace: { type: 'string', short: 'n' },
      nodes: { type: 'string', default: '10' },
      scheduler: { type: 'string' },
      now: { type: 'boolean', default: false },
      kubeconfig: { type: 'string', default: '' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const [name] = positionals
  const shown = Number(values.nodes)
  if (name === undefined || positionals.length > 1 || !(shown > 0)) {
    process.stderr.write(`gantry why: name one pod, or a workload as deployment/NAME\n\n${help}`)
    return 2
  }
  const { api, namespace, file } = reach(values.kubeconfig)
  try {
    const pod = await askedPod(api, values.namespace ?? namespace, name)
    const told = values.now ? undefined : await askScheduler(pod, values.scheduler ?? schedulerOf(file))
    if (told) process.stdout.write(decisionReport(pod, told))
    else {
      const simulation = await Simulation.of(api)
      const judged = simulation.judge(pod)
      process.stdout.write(report(pod, judged, remediesFor(pod, judged, simulation), shown))
    }
    process.stdout.write(afterwards(pod, Date.now()))
    return 0
  } catch (error) {
    if (error instanceof HasNoPods) {
      process.stderr.write(`gantry why: ${error.message}\n`)
      return 1
    }
    if (!isNotFound(error)) throw error
    process.stderr.write(`gantry why: ${(error as Error).message}. gantry get pods -A shows what there is\n`)
    return 1
  } finally {
    api.close()
  }
}

/** It has its place, and does not run all the same: what is in the way. Empty where nothing is. */
export function afterwards(pod: Live<Pod>, nowMs: number): string {
  const hint = pod.spec?.nodeName ? podHint(pod, [], nowMs) : undefined
  return hint ? `\nIt does not run there: ${hint}\n` : ''
}

const remediesFor = (pod: Live<Pod>, { verdicts, ranking }: Judged, { cache }: Simulation): string[] =>
  ranking.length > 0 ? [] : remedies(new PodInfo(pod), verdicts, cache.columns)

/** All that is known of the placement of one pod, for people. */
export function report(
  { metadata, spec, status }: Live<Pod>,
  { refused, verdicts, ranking }: Judged,
  help: readonly string[],
  shown: number,
): string {
  const parts: string[] = []
  const where = spec?.nodeName
  const condition = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  parts.push(
    where
      ? `Pod ${metadata.namespace}/${metadata.name} is on ${where}. Were it placed now:`
      : `Pod ${metadata.namespace}/${metadata.name} has no node${condition?.message ? `. The scheduler: ${condition.message}` : ' yet.'}`,
  )
  if (refused) {
    parts.push(`${refused.plugin} refuses the pod itself: ${refused.reasons.join(', ')}`)
    return `${parts.join('\n\n')}\n`
  }
  if (ranking.length > 0) parts.push(scoresTable(ranking, where, shown))
  // Those first that lack the least.
  const refusing = verdicts
    .filter(({ refusals }) => refusals.length > 0)
    .sort((a, b) => a.refusals.length - b.refusals.length)
  if (refusing.length > 0) {
    const rows = refusing
      .slice(0, shown)
      .flatMap(({ node, refusals }) =>
        refusals.map(({ plugin, reasons }, i) => [i === 0 ? node.name : '', plugin, reasons.join(', ')]),
      )
    parts.push(`${alignRows([['NODE', 'REFUSED BY', 'WHY'], ...rows])}${more(refusing.length, shown)}`.trimEnd())
  }
  if (verdicts.length === 0) parts.push('There are no nodes.')
  if (help.length > 0)
    parts.push(`It would get a place with one of these:\n${help.map((line) => `- ${line}`).join('\n')}`)
  return `${parts.join('\n\n')}\n`
}

function scoresTable(ranking: Judged['ranking'], where: string | undefined, shown: number): string {
  const plugins = [...(ranking[0]?.scores.keys() ?? [])]
  const rows = ranking
    .slice(0, shown)
    .map(({ node, total, scores }) => [
      node.name + (node.name === where ? ' *' : ''),
      rounded(total),
      ...plugins.map((plugin) => rounded(scores.get(plugin) ?? 0)),
    ])
  const head = ['NODE', 'SCORE', ...plugins.map((plugin) => plugin.toUpperCase())]
  return `${alignRows([head, ...rows])}${more(ranking.length, shown)}`.trimEnd()
}

const rounded = (score: number): string => String(Math.round(score * 10) / 10)
const more = (count: number, shown: number): string => (count > shown ? `and ${count - shown} more nodes\n` : '')
