import type { Command } from 'commander'
import { isQuantity } from '../api/machinery/quantity.ts'
import { apiVersionOf } from '../client/resources.ts'
import { addCreateFlags, type CreateFlags, createOne } from './create/creating.ts'
import { wholeNumber } from './create/workloads.ts'
import { CliError } from './errors.ts'
import { addFileFlags, type FileFlags } from './flags.ts'
import { subjectsGiven } from './subjects.ts'
import type { Verb } from './verb.ts'
import type { Subject } from './workloads.ts'

export interface AutoscaleFlags extends CreateFlags, FileFlags {
  max?: string
  min?: string
  cpu?: string
  cpuPercent?: string
  memory?: string
  name?: string
}

export const autoscale: Verb<AutoscaleFlags> = {
  usage: '(-f FILE | TYPE NAME | TYPE/NAME) --max=COUNT [--min=COUNT] [--cpu=USAGE]',
  examples: [
    'gantry autoscale deployment web --min=2 --max=10 --cpu=70%',
    'gantry autoscale deployment web --max=5 --memory=200Mi',
  ],
  define(command: Command) {
    addFileFlags(command)
      .option('--max <count>', 'no more replicas than so many')
      .option('--min <count>', 'no fewer')
      .option('--cpu <usage>', 'what each is to use: 70% of what it requests, or 500m')
      .option('--cpu-percent <percent>', 'the same as --cpu=PERCENT%')
      .option('--memory <usage>', 'what each is to use: 70% of what it requests, or 200Mi')
      .option('--name <name>', 'of the autoscaler; without, that of what is scaled')
    addCreateFlags(command)
  },
  async run(session, args, flags) {
    if (flags.max === undefined) throw new CliError('required flag(s) "max" not set')
    for (const subject of await subjectsGiven(session, args, flags))
      await createOne(session, autoscalerOf(subject, flags), flags, {
        manager: 'kubectl-autoscale',
        done: 'autoscaled',
      })
    return 0
  },
}

/** The autoscaler for an object. Throws for what cannot be scaled. */
export function autoscalerOf({ kind, object }: Subject, flags: AutoscaleFlags) {
  const max = wholeNumber(flags.max ?? '0', '--max')
  const min = wholeNumber(flags.min ?? '-1', '--min')
  if (max < 1) throw new CliError(`--max=MAXPODS is required and must be at least 1, max: ${max}`)
  if (max < min) throw new CliError(`--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`)
  if (!kind.subresources.includes('scale'))
    throw new CliError(
      `cannot autoscale a ${kind.kind}: it has no replicas. Deployments, replicasets and statefulsets have`,
    )
  const cpu = flags.cpu ?? (flags.cpuPercent ? `${flags.cpuPercent}%` : undefined)
  const metrics = [...(cpu ? [metricOf('cpu', cpu)] : []), ...(flags.memory ? [metricOf('memory', flags.memory)] : [])]
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: flags.name || object.metadata.name },
    spec: {
      scaleTargetRef: { kind: kind.kind, name: object.metadata.name, apiVersion: apiVersionOf(kind) },
      ...(min > 0 ? { minReplicas: min } : {}),
      maxReplicas: max,
      ...(metrics.length > 0 ? { metrics } : {}),
    },
  }
}

function metricOf(name: string, usage: string) {
  const percent = /^(\d+)%?$/.exec(usage)
  // A bare number of cpu was a percentage before there was a choice.
  if (percent && (usage.endsWith('%') || name === 'cpu'))
    return {
      type: 'Resource',
      resource: { name, target: { type: 'Utilization', averageUtilization: Number(percent[1]) } },
    }
  if (!isQuantity(usage)) throw new CliError(`invalid --${name} "${usage}": write 70%, 500m or 200Mi`)
  return { type: 'Resource', resource: { name, target: { type: 'AverageValue', averageValue: usage } } }
}
