import type { CronJob, Job } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { Health } from './pods.ts'

interface State {
  health: Health
  state: string
}

/** How a job does, in a few words. */
export function jobState({ spec, status = {} }: Stored<Job>): State {
  const { succeeded = 0, active = 0, failed = 0, conditions = [] } = status
  const is = (type: string) => conditions.find((each) => each.type === type && each.status === 'True')
  const wanted = spec?.completions ?? spec?.parallelism ?? 1
  if (is('Complete')) return { health: 'over', state: 'Complete' }
  const failure = is('Failed')
  if (failure) return { health: 'bad', state: `Failed${failure.reason ? `: ${failure.reason}` : ''}` }
  if (is('Suspended')) return { health: 'busy', state: 'Suspended' }
  const failures = failed > 0 ? `, ${failed} failed` : ''
  return { health: failed > 0 ? 'bad' : 'busy', state: `${succeeded} of ${wanted} done, ${active} running${failures}` }
}

/** How a cron job does, in a few words. */
export function cronJobState({ spec, status = {} }: Stored<CronJob>): State {
  if (spec?.suspend) return { health: 'over', state: 'Suspended' }
  const running = status.active?.length ?? 0
  return running > 0
    ? { health: 'busy', state: `${running} running` }
    : { health: 'good', state: `Next by ${spec?.schedule ?? ''}` }
}
