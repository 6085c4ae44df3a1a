import { parseArgs } from 'node:util'
import { parseDuration } from '../../api/machinery/duration.ts'
import { alignRows } from '../../cli/print/table.ts'
import { systemClock } from '../../client/clock.ts'
import { reach } from '../plan/reach.ts'
import { Simulation } from '../plan/simulation.ts'
import { evictAll } from './evict.ts'
import { type Move, planMoves } from './moves.ts'

const help = `Usage: gantry rebalance [--plan | --apply] [flags]

Finds the pods that would have to move for no node to be hot and for the pods' own topology spread constraints to hold, by the
scheduler's own rules. --plan, the default, shows them; --apply evicts them one after the other within their disruption
budgets, and waits for the replacement of each before the next. Pods that nobody would replace, of daemon sets, of the
system, and with host paths or files in memory stay.

  -n, --namespace NAME   move only pods of this namespace
  --above PERCENT        nodes are hot that are asked for more of their cpu or memory (default 80)
  --most N               move so many pods at most (default 20)
  --timeout DURATION     wait so long for a budget, and for a replacement (default 5m)
  --kubeconfig FILE
`

/** `gantry rebalance`. */
export async function rebalance(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      plan: { type: 'boolean', default: false },
      apply: { type: 'boolean', default: false },
      namespace: { type: 'string', short: 'n' },
      above: { type: 'string', default: '80' },
      most: { type: 'string', default: '20' },
      timeout: { type: 'string', default: '5m' },
      kubeconfig: { type: 'string', default: '' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const [above, most, timeoutMs] = [Number(values.above), Number(values.most), parseDuration(values.timeout)]
  if (!(above > 0 && above <= 100) || !(most > 0) || timeoutMs === undefined || (values.plan && values.apply)) {
    process.stderr.write(`gantry rebalance: these flags make no sense together\n\n${help}`)
    return 2
  }
  const { api } = reach(values.kubeconfig)
  const say = (line: string) => void process.stdout.write(`${line}\n`)
  try {
    const { namespace } = values
    const limits = { hot: above / 100, mostMoves: most, ...(namespace === undefined ? {} : { namespace }) }
    const moves = planMoves(await Simulation.of(api), limits)
    say(movesTable(moves, above).trimEnd())
    if (moves.length === 0) return 0
    if (!values.apply) {
      say('\nNothing has been moved. gantry rebalance --apply evicts them within their budgets.')
      return 0
    }
    say('')
    await evictAll(moves, { api, clock: systemClock, timeoutMs, say })
    return 0
  } finally {
    api.close()
  }
}

/** The moves, for people. */
export function movesTable(moves: readonly Move[], above: number): string {
  if (moves.length === 0) {
    return `Nothing to move: no node that could be relieved is above ${above}%, and spreads hold as well as they can.`
  }
  const rows = moves.map(({ pod, from, to, why }) => [pod.key, from, to, why])
  return alignRows([['POD', 'FROM', 'TO', 'WHY'], ...rows])
}
