import { parseSelector } from '../../api/machinery/labels.ts'
import { CliError } from '../errors.ts'
import { collectList } from '../flags.ts'
import { creating, oneName, pairs } from './creating.ts'
import { wholeNumber } from './workloads.ts'

export const quota = creating<{ hard?: string[]; scopes?: string[] }>({
  summary: 'how much a namespace may use',
  usage: 'NAME [--hard=KEY=AMOUNT,...] [--scopes=SCOPE,...]',
  examples: ['gantry create quota small --hard=cpu=4,memory=8Gi,pods=20'],
  define: (command) =>
    void command
      .option('--hard <amounts>', 'how much of what', collectList)
      .option('--scopes <scopes>', 'of which pods', collectList),
  make: (args, { hard, scopes }) => ({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: oneName(args, 'quota') },
    spec: { ...(hard ? { hard: pairs(hard) } : {}), ...(scopes ? { scopes } : {}) },
    status: {},
  }),
})

interface BudgetFlags {
  selector?: string
  minAvailable?: string
  maxUnavailable?: string
}

export const poddisruptionbudget = creating<BudgetFlags>({
  summary: 'how many of some pods may be away at once',
  usage: 'NAME --selector=LABELS (--min-available=N | --max-unavailable=N)',
  examples: ['gantry create poddisruptionbudget web --selector=app=web --min-available=1'],
  define: (command) =>
    void command
      .option('--selector <labels>', 'of the pods with these labels')
      .option('--min-available <n>', 'so many, or such a part, must stay')
      .option('--max-unavailable <n>', 'so many, or such a part, may be away'),
  make(args, { selector, minAvailable, maxUnavailable }) {
    const name = oneName(args, 'budget')
    if (!selector) throw new CliError('a selector must be specified')
    if (Boolean(minAvailable) === Boolean(maxUnavailable))
      throw new CliError(
        minAvailable
          ? 'min-available and max-unavailable cannot be both specified'
          : 'one of min-available or max-unavailable must be specified',
      )
    return {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: {
        ...(minAvailable ? { minAvailable: numberOrPart(minAvailable, '--min-available') } : {}),
        ...(maxUnavailable ? { maxUnavailable: numberOrPart(maxUnavailable, '--max-unavailable') } : {}),
        selector: selectorOf(selector),
      },
      status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
    }
  },
})

const numberOrPart = (text: string, flag: string): number | string =>
  text.endsWith('%') ? text : wholeNumber(text, flag)

function selectorOf(text: string) {
  const operators = {
    '=': 'In',
    '==': 'In',
    in: 'In',
    '!=': 'NotIn',
    notin: 'NotIn',
    exists: 'Exists',
    '!': 'DoesNotExist',
  }
  const labels: Record<string, string> = {}
  const expressions: { key: string; operator: string; values?: string[] }[] = []
  for (const { key, operator, values = [] } of parseSelector(text)) {
    const name = (operators as Record<string, string>)[operator] ?? operator
    if (name === 'In' && values.length === 1) labels[key] = values[0] as string
    else expressions.push({ key, operator: name, ...(values.length > 0 ? { values: [...values] } : {}) })
  }
  return {
    ...(Object.keys(labels).length > 0 ? { matchLabels: labels } : {}),
    ...(expressions.length > 0 ? { matchExpressions: expressions } : {}),
  }
}

interface PriorityFlags {
  value: string
  globalDefault?: boolean
  description?: string
  preemptionPolicy: string
}

export const priorityclass = creating<PriorityFlags>({
  summary: 'which pods come before others',
  usage: 'NAME --value=VALUE [--global-default]',
  examples: ['gantry create priorityclass high --value=1000 --description="before all else"'],
  define: (command) =>
    void command
      .option('--value <n>', 'the higher, the earlier', '0')
      .option('--global-default', 'for pods that name none')
      .option('--description <text>', 'when to use it')
      .option('--preemption-policy <policy>', 'PreemptLowerPriority or Never', 'PreemptLowerPriority'),
  make: (args, { value, globalDefault, description, preemptionPolicy }) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: oneName(args, 'priority class') },
    value: wholeNumber(value, '--value'),
    ...(globalDefault ? { globalDefault } : {}),
    ...(description ? { description } : {}),
    preemptionPolicy,
  }),
})
