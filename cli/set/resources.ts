import { canonicalQuantity, quantityFault } from '../../api/machinery/quantity.ts'
import { pairs } from '../create/creating.ts'
import { CliError } from '../errors.ts'
import type { NamedObject } from '../objects.ts'
import {
  addContainersFlag,
  addSelectorFlag,
  chosenContainers,
  podSpecOrThrow,
  type SetFlags,
  setting,
} from './setting.ts'

interface ResourcesFlags extends SetFlags {
  containers: string
  limits?: string
  requests?: string
}

type Amounts = Readonly<Record<string, string>>

export const resources = setting<ResourcesFlags>({
  summary: 'what containers are given, and what they may use at most',
  usage: '(-f FILE | TYPE/NAME | TYPE --all | TYPE -l LABELS) [--limits=LIMITS] [--requests=REQUESTS]',
  examples: [
    'gantry set resources deployment/web --requests=cpu=100m,memory=64Mi --limits=memory=128Mi',
    'gantry set resources deployment/web -c app --limits=cpu=1',
  ],
  done: 'resource requirements updated',
  define: (command) =>
    void addContainersFlag(addSelectorFlag(command))
      .option('--limits <amounts>', 'at most: cpu=200m,memory=512Mi; 0 for none')
      .option('--requests <amounts>', 'what is kept for it: cpu=100m,memory=256Mi'),
  parse(_session, words, flags) {
    if (!flags.limits && !flags.requests)
      throw new CliError('you must specify an update to requests or limits (in the form of --requests/--limits)')
    const limits = amountsOf(flags.limits)
    const requests = amountsOf(flags.requests)
    return { words, change: (object) => withResources(object, { limits, requests }, flags.containers) }
  },
})

function amountsOf(text: string | undefined): Amounts {
  const amounts = text ? pairs(text.split(','), 'cpu=100m,memory=64Mi') : {}
  return Object.fromEntries(
    Object.entries(amounts).map(([name, amount]) => {
      if (quantityFault(amount)) throw new CliError(`${name}=${amount}: an amount is a number such as 2, 100m or 64Mi`)
      return [name, canonicalQuantity(amount)]
    }),
  )
}

/** The object with other amounts for the containers whose names fit; what is not named stays. Throws where none fits. */
export function withResources(
  object: NamedObject,
  { limits, requests }: { limits: Amounts; requests: Amounts },
  pattern = '*',
): NamedObject {
  const chosen = chosenContainers(podSpecOrThrow(object), pattern)
  if (chosen.length === 0) throw new CliError(`unable to find container named ${pattern}`)
  for (const container of chosen) {
    const before = container.resources ?? {}
    container.resources = {
      ...before,
      ...(Object.keys(limits).length > 0 ? { limits: { ...before.limits, ...limits } } : {}),
      ...(Object.keys(requests).length > 0 ? { requests: { ...before.requests, ...requests } } : {}),
    }
  }
  return object
}
