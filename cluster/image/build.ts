import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, posix, relative, resolve } from 'node:path'
import {
  type Blob,
  type ImageConfig,
  makeImage,
  type OciImage,
  ownPlatform,
} from '../../node-agent/images/oci/image.ts'
import { type LayerEntry, writeLayer } from '../../node-agent/images/oci/layer-file.ts'
import { type Instruction, parseContainerfile } from './containerfile.ts'
import type { ImageTarget } from './targets.ts'

export interface BuildOptions {
  /** The image's whole name. */
  name: string
  /** The directory that COPY copies from. */
  context: string
  /** The Containerfile; absent: the one in the directory, or, if it has none, the directory as it is. */
  file?: string
  /** Where FROM finds images, RUN runs, and what is built is put. */
  target: ImageTarget
  /** Where layers are made. */
  workDir: string
  /** Hears of each step as it begins, and what RUN prints. */
  step(text: string): void
  output(text: string): void
}

interface Draft {
  config: NonNullable<ImageConfig['config']>
  layers: Blob[]
  /** A command of a lower image is dropped by an entry point of one's own. */
  ownCommand: boolean
}

/** Builds an image and resolves to it; it has not been loaded. Throws an Error that says which step cannot be done. */
export async function buildImage(options: BuildOptions): Promise<OciImage> {
  const file =
    options.file ?? ['Containerfile', 'Dockerfile'].map((name) => join(options.context, name)).find(existsSync)
  const draft: Draft = { config: {}, layers: [], ownCommand: false }
  mkdirSync(options.workDir, { recursive: true })
  if (file === undefined) {
    options.step(`the files of ${options.context}`)
    draft.layers.push(await writeLayer(layerPath(options), [{ name: '', source: options.context }]))
  } else {
    const instructions = parseContainerfile(readFileSync(file, 'utf8'))
    for (const [i, instruction] of instructions.entries()) {
      options.step(`${i + 1}/${instructions.length} ${instruction.text}`)
      try {
        await apply(draft, instruction, options)
      } catch (error) {
        throw new Error(`line ${instruction.line}, ${instruction.kind}: ${(error as Error).message}`)
      }
    }
  }
  return imageOf(draft, options.name)
}

async function apply(draft: Draft, instruction: Instruction, options: BuildOptions): Promise<void> {
  const { config } = draft
  switch (instruction.kind) {
    case 'FROM':
      if (instruction.image !== 'scratch') await startFrom(draft, instruction.image, options)
      return
    case 'COPY': {
      const entries = copied(instruction, options.context, config.WorkingDir ?? '/')
      draft.layers.push(await writeLayer(layerPath(options), entries))
      return
    }
    case 'RUN': {
      const { runStep } = await import('./run-step.ts')
      const image = imageOf(draft, `localhost/gantry-build/${randomUUID()}:1`)
      const ran = await runStep(image, instruction.words, options)
      draft.layers = ran.replaces ? [ran.layer] : [...draft.layers, ran.layer]
      return
    }
    case 'ENV':
      for (const [name, value] of instruction.pairs) {
        const env = expanded(value, config.Env ?? [])
        config.Env = [...(config.Env ?? []).filter((pair) => !pair.startsWith(`${name}=`)), `${name}=${env}`]
      }
      return
    case 'LABEL':
      config.Labels = { ...config.Labels, ...Object.fromEntries(instruction.pairs) }
      return
    case 'CMD':
      config.Cmd = instruction.words
      draft.ownCommand = true
      return
    case 'ENTRYPOINT':
      config.Entrypoint = instruction.words
      if (!draft.ownCommand) config.Cmd = null
      return
    case 'EXPOSE':
      config.ExposedPorts = {
        ...config.ExposedPorts,
        ...Object.fromEntries(instruction.ports.map((port) => [port, {}])),
      }
      return
    case 'USER':
      config.User = expanded(instruction.value, config.Env ?? [])
      return
    case 'WORKDIR': {
      config.WorkingDir = posix.resolve(config.WorkingDir ?? '/', expanded(instruction.value, config.Env ?? []))
      const name = config.WorkingDir.slice(1)
      if (name !== '') draft.layers.push(await writeLayer(layerPath(options), [{ name }]))
      return
    }
  }
}

/** The image named, from where it is to be put, or else from its registry. */
async function startFrom(draft: Draft, name: string, { target, step }: BuildOptions): Promise<void> {
  let image = await target.read(name)
  if (!image && target.cri) {
    step(`pulling ${name}`)
    await target.cri.pullImage({ image: { image: name } })
    image = await target.read(name)
  }
  if (!image) throw new Error(`there is no image ${name}: load it with gantry image load`)
  draft.config = { ...image.parsed.config }
  draft.layers = [...image.layers]
  // The configuration names layers uncompressed; ours are taken by these names too.
  const plain = image.parsed.rootfs.diff_ids
  for (const [i, layer] of draft.layers.entries()) diffIds.set(layer, plain[i] ?? layer.descriptor.digest)
}

/** What layers are called uncompressed, where that is not their digest. */
const diffIds = new WeakMap<Blob, string>()

function imageOf({ config, layers }: Draft, name: string): OciImage {
  const { os, architecture } = ownPlatform()
  const created = new Date().toISOString()
  return makeImage([name], { created, os, architecture, config }, layers, (layer) => diffIds.get(layer))
}

function copied(
  { sources, target, mode }: Extract<Instruction, { kind: 'COPY' }>,
  context: string,
  workingDir: string,
): LayerEntry[] {
  const found = sources.flatMap((source) => {
    const path = resolve(context, source.replace(/^\/+/, ''))
    if (relative(context, path).startsWith('..')) throw new Error(`${source} is outside of ${context}`)
    if (existsSync(path)) return [path]
    const matched = matching(path)
    if (matched.length === 0) throw new Error(`there is no ${source} in ${context}`)
    return matched
  })
  const intoDirectory = target.endsWith('/') || found.length > 1 || found.some((path) => statSync(path).isDirectory())
  const path = posix.resolve(workingDir, target).slice(1)
  return found.map((source) => {
    // A directory's content is copied, not the directory.
    const name = intoDirectory && !statSync(source).isDirectory() ? posix.join(path, basename(source)) : path
    return { name: name === '' ? '' : name, source, ...(mode === undefined ? {} : { mode }) }
  })
}

/** Files whose last part fits a pattern of `*` and `?`. */
function matching(path: string): string[] {
  const directory = dirname(path)
  if (!existsSync(directory)) return []
  const escaped = basename(path).replace(/[.+^${}()|[\]\\]/g, '\\$&')
  const pattern = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`)
  return readdirSync(directory)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(directory, name))
}

/** `$NAME` and `${NAME}`, of what ENV has set. */
function expanded(text: string, env: readonly string[]): string {
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_whole, braced?: string, plain?: string) => {
    const name = `${braced ?? plain}=`
    return env.find((pair) => pair.startsWith(name))?.slice(name.length) ?? ''
  })
}

const layerPath = ({ workDir }: BuildOptions): string =>
  join(workDir, `layer-${createHash('sha256').update(randomUUID()).digest('hex').slice(0, 16)}.tar`)
