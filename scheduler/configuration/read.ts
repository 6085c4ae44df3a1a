import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { DecodeError, decodeObject } from '../../api/machinery/decode.ts'
import { parseDuration } from '../../api/machinery/duration.ts'
import { child, duplicate, type FieldError, index, invalid, required } from '../../api/machinery/field-errors.ts'
import { defaultArgs, type PluginArgs } from '../plugins/args.ts'
import { checkExtenders } from './extender-rules.ts'
import { argsRules } from './plugin-args.ts'
import { unknownPlugins } from './plugin-points.ts'
import { argsSchemas, configurationSchema } from './schema.ts'
import type { ExtenderConfig, KubeSchedulerConfiguration, KubeSchedulerProfile, LeaderElection } from './types.ts'

const apiVersion = 'kubescheduler.config.k8s.io/v1'
const kind = 'KubeSchedulerConfiguration'
const defaultSchedulerName = 'default-scheduler'

/** One profile, as it is to run. */
export interface ProfilePlan {
  /** Where it is in the file. */
  readonly path: string
  readonly profile: KubeSchedulerProfile
  readonly schedulerName: string
  /** 0: the fewer, the more nodes there are. */
  readonly percentageOfNodesToScore: number
  readonly args: PluginArgs
}

/** What a file says, complete and without faults. */
export interface Configuration {
  readonly kubeconfig: string
  readonly leaderElection: LeaderElection
  readonly initialBackoffMs: number
  readonly maxBackoffMs: number
  readonly profiles: readonly ProfilePlan[]
  readonly extenders: readonly ExtenderConfig[]
}

/** Reads a file. Throws an Error that names the file and every field that is wrong. */
export function readConfiguration(file: string): Configuration {
  try {
    return parseConfiguration(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** The same for the text of a file. */
export function parseConfiguration(text: string): Configuration {
  const document = parseDocument(text)
  if (document.errors[0]) throw document.errors[0]
  const value = document.toJS() as Partial<KubeSchedulerConfiguration> | null
  if (value?.apiVersion !== apiVersion || value.kind !== kind) {
    throw new Error(`apiVersion has to be ${apiVersion}, and kind ${kind}`)
  }
  const { object, unknown } = decodeObject(configurationSchema, value, { mode: 'Strict' })
  if (unknown.length > 0) throw new Error(unknown.map((path) => `unknown field "${path}"`).join(', '))
  const given = object as unknown as KubeSchedulerConfiguration
  const errors = [...checkWhole(given), ...checkExtenders(given.extenders ?? [])]
  const profiles = (given.profiles?.length ? given.profiles : [{}]).map((profile, i, all) => {
    const path = index('profiles', i)
    const { args, errors: argErrors } = argsOf(profile, path)
    errors.push(...checkProfile(profile, all, i), ...unknownPlugins(profile, path), ...argErrors)
    return {
      path,
      profile,
      schedulerName: profile.schedulerName ?? defaultSchedulerName,
      percentageOfNodesToScore: profile.percentageOfNodesToScore ?? given.percentageOfNodesToScore ?? 0,
      args: withoutManaged(args, given.extenders ?? []),
    }
  })
  if (errors.length > 0) throw new Error(errors.map(({ field, message }) => `${field}: ${message}`).join('; '))
  return {
    kubeconfig: given.clientConnection?.kubeconfig ?? '',
    leaderElection: given.leaderElection ?? {},
    initialBackoffMs: (given.podInitialBackoffSeconds ?? 1) * 1000,
    maxBackoffMs: (given.podMaxBackoffSeconds ?? 10) * 1000,
    profiles,
    extenders: given.extenders ?? [],
  }
}

function checkWhole(given: KubeSchedulerConfiguration): FieldError[] {
  const errors: FieldError[] = []
  const { parallelism = 1, podInitialBackoffSeconds: first = 1, podMaxBackoffSeconds: most = 10 } = given
  if (parallelism <= 0) errors.push(invalid('parallelism', parallelism, 'should be an integer value greater than zero'))
  if (first <= 0) errors.push(invalid('podInitialBackoffSeconds', first, 'must be greater than 0'))
  if (most < first) {
    const detail = 'must be greater than or equal to PodInitialBackoffSeconds'
    errors.push(invalid('podMaxBackoffSeconds', most, detail))
  }
  errors.push(...checkPercentage('percentageOfNodesToScore', given.percentageOfNodesToScore))
  const { resourceLock = 'leases', ...election } = given.leaderElection ?? {}
  if (resourceLock !== 'leases') {
    errors.push(invalid('leaderElection.resourceLock', resourceLock, 'resourceLock value must be "leases"'))
  }
  for (const name of ['leaseDuration', 'renewDeadline', 'retryPeriod'] as const) {
    const text = election[name]
    if (text !== undefined && parseDuration(text) === undefined) {
      errors.push(invalid(`leaderElection.${name}`, text, 'not a duration such as 15s'))
    }
  }
  return errors
}

const checkPercentage = (path: string, percentage = 0): FieldError[] =>
  percentage < 0 || percentage > 100 ? [invalid(path, percentage, 'not in valid range [0-100]')] : []

function checkProfile(profile: KubeSchedulerProfile, all: readonly KubeSchedulerProfile[], i: number): FieldError[] {
  const path = index('profiles', i)
  const errors = checkPercentage(child(path, 'percentageOfNodesToScore'), profile.percentageOfNodesToScore)
  const name = profile.schedulerName
  // Only a profile that stands alone need not say whose it is.
  if (name === '' || (name === undefined && all.length > 1)) errors.push(required(child(path, 'schedulerName')))
  const first = all.findIndex(({ schedulerName }) => schedulerName === name)
  if (name !== undefined && first < i) {
    errors.push(duplicate(child(path, 'schedulerName'), `profiles[${first}].schedulerName`))
  }
  const sorts = ({ plugins }: KubeSchedulerProfile) => JSON.stringify(plugins?.queueSort ?? {})
  if (sorts(profile) !== sorts(all[0] as KubeSchedulerProfile)) {
    errors.push(invalid(child(path, 'plugins', 'queueSort'), sorts(profile), 'must be the same for all profiles'))
  }
  return errors
}

const isConfigurable = (name: string): name is keyof PluginArgs => Object.hasOwn(argsSchemas, name)

function argsOf({ pluginConfig = [] }: KubeSchedulerProfile, path: string): { args: PluginArgs; errors: FieldError[] } {
  const errors: FieldError[] = []
  const args = { ...defaultArgs }
  for (const [i, { name, args: given = {} }] of pluginConfig.entries()) {
    const at = index(child(path, 'pluginConfig'), i)
    if (pluginConfig.findIndex((other) => other.name === name) < i) errors.push(duplicate(at, name))
    else if (!isConfigurable(name)) {
      const names = Object.keys(argsSchemas).join(', ')
      errors.push(invalid(child(at, 'name'), name ?? '', `there is nothing to configure; there is for ${names}`))
    } else readArgs(args, name, given, child(at, 'args'), errors)
  }
  return { args, errors }
}

function readArgs<K extends keyof PluginArgs>(
  all: { -readonly [N in keyof PluginArgs]: PluginArgs[N] },
  name: K,
  given: unknown,
  path: string,
  errors: FieldError[],
): void {
  try {
    const { object, unknown } = decodeObject(argsSchemas[name], given, { mode: 'Strict' })
    errors.push(...unknown.map((field) => invalid(child(path, field), '', 'unknown field')))
    const { apiVersion: _, kind: its = `${name}Args`, ...fields } = object
    if (its !== `${name}Args`) errors.push(invalid(child(path, 'kind'), its, `has to be ${name}Args`))
    all[name] = argsRules[name].complete(fields as Partial<PluginArgs[K]>)
    errors.push(...argsRules[name].check(all[name], path))
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    errors.push(invalid(path, '', error.message))
  }
}

/** Resources that an extender watches over instead of the scheduler are none of NodeResourcesFit's. */
function withoutManaged(args: PluginArgs, extenders: readonly ExtenderConfig[]): PluginArgs {
  const managed = extenders.flatMap(({ managedResources = [] }) =>
    managedResources.flatMap(({ name, ignoredByScheduler }) => (ignoredByScheduler ? [name] : [])),
  )
  if (managed.length === 0) return args
  const { ignoredResources } = args.NodeResourcesFit
  return {
    ...args,
    NodeResourcesFit: { ...args.NodeResourcesFit, ignoredResources: [...ignoredResources, ...managed] },
  }
}
