import { ConfigurationError } from '../config.ts'
import { pluginMakers, type SchedulerProfile } from '../profile.ts'
import { pluginPoints, wantedPlugins } from './plugin-points.ts'
import type { ProfilePlan } from './read.ts'

/** A profile of a configuration, to be run. Making its plugins throws a ConfigurationError that names every field that is wrong. */
export const assembleProfile = ({
  path,
  profile,
  schedulerName,
  percentageOfNodesToScore,
  args,
}: ProfilePlan): SchedulerProfile => ({
  schedulerName,
  percentageOfNodesToScore,
  assemble: (context) => {
    const made = new Map(wantedPlugins(profile).map((name) => [name, pluginMakers[name](context, args)]))
    const { points, errors } = pluginPoints(profile, made, path)
    if (errors.length > 0)
      throw new ConfigurationError(errors.map(({ field, message }) => `${field}: ${message}`).join('; '))
    const weights = new Map(points.score.map(({ plugin, weight }) => [plugin, weight]))
    return { plugins: [...made.values()].map((plugin) => ({ plugin, weight: weights.get(plugin) ?? 1 })), points }
  },
})
