import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Pod } from '../../api/generated/types.ts'
import { alignRows } from '../../cli/print/table.ts'
import type { Live } from '../../client/types.ts'
import type { Decision, Why } from '../../scheduler/decisions/decisions.ts'

/** Nobody waits long for a scheduler that is not there. */
const patienceMs = 1000

/** Where the scheduler of a cluster answers, if the kubeconfig lies in the cluster's own data directory on this machine. */
export function schedulerOf(kubeconfig: string): string | undefined {
  const settings = join(dirname(kubeconfig), 'cluster.json')
  if (kubeconfig === '' || !existsSync(settings)) return undefined
  const { schedulerPort } = JSON.parse(readFileSync(settings, 'utf8')) as { schedulerPort?: number }
  return schedulerPort ? `http://127.0.0.1:${schedulerPort}` : undefined
}

/** What the scheduler has to say of the very pod; undefined where it cannot be reached, or knows nothing. */
export async function askScheduler({ metadata }: Live<Pod>, url: string | undefined): Promise<Why | undefined> {
  if (url === undefined) return undefined
  const { namespace = '', name, uid = '' } = metadata
  try {
    const path = `/why/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}?uid=${encodeURIComponent(uid)}`
    const answer = await fetch(new URL(path, url), { signal: AbortSignal.timeout(patienceMs) })
    return answer.ok ? ((await answer.json()) as Why) : undefined
  } catch {
    // Another scheduler than ours, or one on another machine: it is worked out here.
    return undefined
  }
}

/** A decision, for people. */
export function decisionReport({ metadata, spec }: Live<Pod>, { decision, remedies }: Why): string {
  const pod = `Pod ${metadata.namespace}/${metadata.name}`
  const looked = `${decision.evaluated} of ${decision.nodes} nodes looked at`
  const parts: string[] = []
  if (decision.result === 'scheduled') {
    const others = decision.feasible > 1 ? `, ${decision.feasible} of which would have done` : ''
    parts.push(`${pod} was given ${decision.nodeName} at ${decision.at}: ${looked}${others}.`)
  } else {
    const state = spec?.nodeName ? `is on ${spec.nodeName}` : 'has no node'
    parts.push(`${pod} ${state}. The scheduler at ${decision.at}: ${decision.message ?? 'no word'}`)
  }
  if (decision.best.length > 0) parts.push(bestTable(decision.best))
  if (decision.refusals?.length) {
    const rows = decision.refusals.map(({ plugin, reasons, nodes, examples }) => [
      String(nodes),
      plugin,
      reasons.join(', '),
      `${examples.join(', ')}${nodes > examples.length ? ', …' : ''}`,
    ])
    parts.push(alignRows([['NODES', 'REFUSED BY', 'WHY', 'SUCH AS'], ...rows]).trimEnd())
  }
  if (remedies.length > 0) {
    parts.push(`It would get a place with one of these:\n${remedies.map((line) => `- ${line}`).join('\n')}`)
  }
  return `${parts.join('\n\n')}\n`
}

function bestTable(best: Decision['best']): string {
  const plugins = Object.keys(best[0]?.scores ?? {})
  const rows = best.map(({ node, total, scores }, i) => [
    node + (i === 0 ? ' *' : ''),
    String(total),
    ...plugins.map((plugin) => String(scores[plugin] ?? 0)),
  ])
  const head = ['NODE', 'SCORE', ...plugins.map((plugin) => plugin.toUpperCase())]
  return alignRows([head, ...rows]).trimEnd()
}
