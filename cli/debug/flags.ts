import { readFileSync } from 'node:fs'
import type { Container } from '../../api/generated/types.ts'
import { parseYaml } from '../../api/machinery/json.ts'
import { pairs } from '../create/creating.ts'
import { CliError } from '../errors.ts'
import type { DebugWish } from './pods.ts'
import { profileNamed } from './profiles.ts'

/** The flags of `debug`. */
export interface DebugFlags {
  filename?: string[]
  argumentsOnly?: boolean
  attach?: boolean
  container?: string
  copyTo?: string
  replace?: boolean
  env?: string[]
  image?: string
  imagePullPolicy?: string
  keepLabels?: boolean
  keepAnnotations?: boolean
  keepLiveness?: boolean
  keepReadiness?: boolean
  keepStartup?: boolean
  keepInitContainers: boolean
  stdin?: boolean
  quiet?: boolean
  sameNode?: boolean
  setImage?: string[]
  shareProcesses?: boolean
  target?: string
  tty?: boolean
  profile: string
  custom?: string
}

/** A reference to an image. */
const whole =
  /^(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[A-Za-z][\w+.-]*:[0-9a-fA-F]{32,})?$/

/** Throws what flags do not go together, or mean nothing. */
export function refuseNonsense(args: readonly string[], flags: DebugFlags, words: readonly string[]): void {
  const { image = '', container, setImage = [] } = flags
  if (flags.attach && image === '' && !container)
    throw new CliError('you must specify --container or create a new container using --image in order to attach.')
  if (flags.copyTo) {
    if (image === '' && setImage.length === 0 && words.length === 0)
      throw new CliError('you must specify --image, --set-image or command arguments.')
    if (words.length > 0 && !container && image === '')
      throw new CliError('you must specify an existing container or a new image when specifying args.')
    if (flags.target) throw new CliError('--target is incompatible with --copy-to. Use --share-processes instead.')
  } else {
    const [only] = [
      flags.replace && '--replace',
      flags.sameNode && '--same-node',
      setImage.length > 0 && '--set-image',
    ].flatMap((flag) => flag || [])
    if (only) throw new CliError(`${only} may only be used with --copy-to.`)
    if (image === '') throw new CliError('you must specify --image when not using --copy-to.')
  }
  if (image !== '' && !whole.test(image)) throw new CliError(`invalid image name "${image}": invalid reference format`)
  for (const [name, other] of Object.entries(pairs(setImage, 'container=image')))
    if (!whole.test(other))
      throw new CliError(`invalid image name "${other}" for container "${name}": invalid reference format`)
  if (args.length === 0 && !flags.filename) throw new CliError('NAME or filename is required for debug')
  const policies = ['Always', 'IfNotPresent', 'Never', '']
  if (!policies.includes(flags.imagePullPolicy ?? ''))
    throw new CliError(`invalid image pull policy: ${flags.imagePullPolicy}; choose Always, IfNotPresent or Never`)
  if (flags.tty && !flags.stdin) throw new CliError('-i/--stdin is required for containers with -t/--tty=true')
}

/** What the flags ask for; `words` follow --. Throws what is wrong with the profile or with the file of `--custom`. */
export async function wishOf(flags: DebugFlags, words: readonly string[]): Promise<DebugWish> {
  return {
    profile: profileNamed(flags.profile),
    image: flags.image ?? '',
    words,
    argumentsOnly: Boolean(flags.argumentsOnly),
    env: Object.entries(pairs(flags.env, 'NAME=VALUE')).map(([name, value]) => ({ name, value })),
    pullPolicy: flags.imagePullPolicy || undefined,
    stdin: Boolean(flags.stdin),
    tty: Boolean(flags.tty),
    customized: flags.custom ? await customizing(flags.custom) : (container) => container,
  }
}

/** What a file with a part of a container makes of a container. */
async function customizing(file: string): Promise<DebugWish['customized']> {
  const part = readPart(file)
  for (const field of ['name', 'command', 'image', 'lifecycle', 'volumeDevices'])
    if (part[field] !== undefined)
      throw new CliError('name, command, image, lifecycle and volume devices are not modifiable via custom profile')
  const [{ strategicMergePatch }, { builtinSchema }] = await Promise.all([
    import('../../api/patch/strategic-merge.ts'),
    import('../../api/schema/builtin.ts'),
  ])
  const schema = builtinSchema('io.k8s.api.core.v1.Container')
  return (container) => strategicMergePatch({ ...container }, part, schema) as unknown as Container
}

function readPart(file: string): Record<string, unknown> {
  try {
    const { value } = parseYaml(readFileSync(file, 'utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
    throw new Error('it is no object')
  } catch (error) {
    throw new CliError(`${file} does not contain a valid container spec: ${(error as Error).message}`)
  }
}
