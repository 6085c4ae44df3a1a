import { parseDuration } from '../../api/machinery/duration.ts'
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
} from '../../api/machinery/field-errors.ts'
import { isQualifiedName } from '../../api/machinery/names.ts'
import { defaultArgs, type PluginArgs, type ResourceSpec, type ShapePoint } from '../plugins/args.ts'

type Partly<T> = { -readonly [K in keyof T]?: T[K] }
type Check<K extends keyof PluginArgs> = (args: Partly<PluginArgs[K]>, path: string) => FieldError[]
type Complete<K extends keyof PluginArgs> = (args: Partly<PluginArgs[K]>) => PluginArgs[K]

/** How arguments are completed with upstream's defaults, and then judged. */
export const argsRules: { readonly [K in keyof PluginArgs]: { complete: Complete<K>; check: Check<K> } } = {
  DefaultPreemption: {
    complete: (args) => ({ ...defaultArgs.DefaultPreemption, ...args }),
    check({ minCandidateNodesPercentage: part = 0, minCandidateNodesAbsolute: least = 0 }, path) {
      const [partPath, leastPath] = [
        child(path, 'minCandidateNodesPercentage'),
        child(path, 'minCandidateNodesAbsolute'),
      ]
      const errors = inRange(partPath, part, 0, 100)
      if (least < 0) errors.push(invalid(leastPath, least, 'not in valid range [0, inf)'))
      if (part === 0 && least === 0) {
        errors.push(invalid(partPath, part, 'cannot be zero at the same time as minCandidateNodesAbsolute'))
      }
      return errors
    },
  },
  DynamicResources: {
    complete: (args) => ({ ...defaultArgs.DynamicResources, ...args }),
    check(args, path) {
      const { filterTimeout = '' } = args
      const ms = parseDuration(filterTimeout)
      const at = child(path, 'filterTimeout')
      return [
        ...(ms === undefined ? [invalid(at, filterTimeout, 'not a duration such as 1s')] : []),
        ...(ms !== undefined && ms < 0 ? [invalid(at, filterTimeout, 'must be zero or positive')] : []),
        // Nothing here waits for conditions of devices before a pod is bound.
        ...('bindingTimeout' in args
          ? [forbidden(child(path, 'bindingTimeout'), 'DRADeviceBindingConditions feature gate is disabled')]
          : []),
      ]
    },
  },
  InterPodAffinity: {
    complete: (args) => ({ ...defaultArgs.InterPodAffinity, ...args }),
    check: ({ hardPodAffinityWeight = 1 }, path) =>
      inRange(child(path, 'hardPodAffinityWeight'), hardPodAffinityWeight, 0, 100),
  },
  NodeAffinity: { complete: (args) => args, check: () => [] },
  NodeResourcesBalancedAllocation: {
    complete: ({ resources = [] }) =>
      resources.length === 0 ? defaultArgs.NodeResourcesBalancedAllocation : { resources: resources.map(weighted) },
    check({ resources = [] }, path) {
      const names = resources.map(({ name }) => name)
      return resources.flatMap(({ name, weight }, i) => {
        const at = index(child(path, 'resources'), i)
        return [
          ...(names.indexOf(name) < i ? [duplicate(child(at, 'name'), name)] : []),
          ...(weight !== 1 ? [invalid(child(at, 'weight'), weight, 'must be 1')] : []),
        ]
      })
    },
  },
  NodeResourcesFit: { complete: completeFit, check: checkFit },
  PodTopologySpread: {
    complete: (args) => ({ ...defaultArgs.PodTopologySpread, ...args }),
    check: checkSpread,
  },
  VolumeBinding: {
    complete: (args) => ({ ...defaultArgs.VolumeBinding, ...args }),
    check(args, path) {
      const { bindTimeoutSeconds = 0 } = args
      return [
        ...(bindTimeoutSeconds < 0
          ? [
              invalid(
                child(path, 'bindTimeoutSeconds'),
                bindTimeoutSeconds,
                'invalid BindTimeoutSeconds, should not be a negative value',
              ),
            ]
          : []),
        // Known, and behind a gate that is off.
        ...('shape' in args
          ? [
              invalid(
                child(path, 'shape'),
                args.shape,
                'unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring',
              ),
            ]
          : []),
      ]
    },
  },
}

const weighted = ({ name, weight }: Partly<ResourceSpec>): ResourceSpec => ({ name: name ?? '', weight: weight || 1 })

function completeFit(args: Partly<PluginArgs['NodeResourcesFit']>): PluginArgs['NodeResourcesFit'] {
  const usual = defaultArgs.NodeResourcesFit
  const given = args.scoringStrategy
  if (!given) return { ...usual, ...args }
  const resources = given.resources?.length ? given.resources.map(weighted) : usual.scoringStrategy.resources
  return { ...usual, ...args, scoringStrategy: { ...given, resources } }
}

const strategies = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio']

function checkFit({ scoringStrategy, ...args }: Partly<PluginArgs['NodeResourcesFit']>, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [i, name] of (args.ignoredResources ?? []).entries()) {
    const at = index(child(path, 'ignoredResources'), i)
    errors.push(...isQualifiedName(name).map((message) => invalid(at, name, message)))
  }
  for (const [i, group] of (args.ignoredResourceGroups ?? []).entries()) {
    const at = index(child(path, 'ignoredResourceGroups'), i)
    if (group.includes('/')) errors.push(invalid(at, group, "resource group name can't contain '/'"))
    else errors.push(...isQualifiedName(group).map((message) => invalid(at, group, message)))
  }
  if (!scoringStrategy) return errors
  const at = child(path, 'scoringStrategy')
  const { type, resources, requestedToCapacityRatio } = scoringStrategy
  if (!strategies.includes(type)) errors.push(notSupported(child(at, 'type'), type ?? '', strategies))
  for (const [i, { name, weight }] of resources.entries()) {
    const weightPath = child(index(child(at, 'resources'), i), 'weight')
    if (weight <= 0 || weight > 100) {
      errors.push(invalid(weightPath, weight, `resource weight of ${name} not in valid range (0, 100]`))
    }
  }
  const ratioPath = child(at, 'requestedToCapacityRatio')
  if (type === 'RequestedToCapacityRatio') {
    if (!requestedToCapacityRatio) {
      errors.push(required(ratioPath, 'must be specified when type is RequestedToCapacityRatio'))
    } else errors.push(...checkShape(requestedToCapacityRatio.shape ?? [], child(ratioPath, 'shape')))
  } else if (requestedToCapacityRatio) {
    errors.push(forbidden(ratioPath, 'must be nil when type is not RequestedToCapacityRatio'))
  }
  return errors
}

function checkShape(shape: readonly ShapePoint[], path: string): FieldError[] {
  if (shape.length === 0) return [required(path, 'at least one point must be specified')]
  return shape.flatMap(({ utilization = 0, score = 0 }, i) => {
    const at = index(path, i)
    const before = shape[i - 1]
    return [
      ...(before && (before.utilization ?? 0) >= utilization
        ? [invalid(child(at, 'utilization'), utilization, 'values must be sorted in increasing order')]
        : []),
      ...inRange(child(at, 'utilization'), utilization, 0, 100),
      ...inRange(child(at, 'score'), score, 0, 10),
    ]
  })
}

const actions = ['DoNotSchedule', 'ScheduleAnyway']

function checkSpread(
  { defaultConstraints = [], defaultingType = 'System' }: Partly<PluginArgs['PodTopologySpread']>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  const typePath = child(path, 'defaultingType')
  if (!['System', 'List'].includes(defaultingType)) {
    errors.push(notSupported(typePath, defaultingType, ['System', 'List']))
  } else if (defaultingType === 'System' && defaultConstraints.length > 0) {
    errors.push(invalid(typePath, defaultingType, 'when .defaultConstraints are not empty'))
  }
  for (const [i, { maxSkew, topologyKey, whenUnsatisfiable, labelSelector }] of defaultConstraints.entries()) {
    const at = index(child(path, 'defaultConstraints'), i)
    if (!(maxSkew > 0)) errors.push(invalid(child(at, 'maxSkew'), maxSkew, 'not in valid range (0, inf)'))
    const keyPath = child(at, 'topologyKey')
    if (!topologyKey) errors.push(required(keyPath, 'can not be empty'))
    else errors.push(...isQualifiedName(topologyKey).map((message) => invalid(keyPath, topologyKey, message)))
    const actionPath = child(at, 'whenUnsatisfiable')
    if (!whenUnsatisfiable) errors.push(required(actionPath, 'can not be empty'))
    else if (!actions.includes(whenUnsatisfiable)) errors.push(notSupported(actionPath, whenUnsatisfiable, actions))
    if (labelSelector) {
      const detail = 'constraint must not define a selector, as they deduced for each pod'
      errors.push(forbidden(child(at, 'labelSelector'), detail))
    }
    const isRepeated = defaultConstraints
      .slice(0, i)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)
    if (isRepeated) errors.push(duplicate(at, `{${topologyKey}, ${whenUnsatisfiable}}`))
  }
  return errors
}

const inRange = (path: string, value: number, least: number, most: number): FieldError[] =>
  value < least || value > most ? [invalid(path, value, `not in valid range [${least}, ${most}]`)] : []
