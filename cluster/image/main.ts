import { createWriteStream, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import type { OciImage } from '../../node-agent/images/oci/image.ts'
import { normalizeReference } from '../../node-agent/images/reference.ts'
import { dataDirOf } from '../data-dir.ts'
import { layoutOf } from '../layout.ts'
import { readSettings } from '../settings.ts'
import { bytes, ProgressLine } from './progress-line.ts'
import { type ImageTarget, openTargets } from './targets.ts'

interface Where {
  dataDir?: string
  node?: string
}

/** `gantry image load|save|ls|rm|build`: the images on a cluster's nodes, without a registry. */
export async function image(args: readonly string[]): Promise<number> {
  let code = 0
  const program = new Command('gantry image')
    .description("the images on a cluster's nodes, without a registry")
    .exitOverride()
  const verb = (usage: string, description: string) =>
    program
      .command(usage)
      .description(description)
      .option('--data-dir <dir>', 'where the cluster is kept (default: .gantry, or where $KUBECONFIG lies)')
      .option('--node <name>', 'this node only')

  verb('load [file]', 'bring in the images of an archive, OCI or of docker save; without a file, from standard input')
    .option('-t, --tag <name>', 'give it this name, if the archive holds one image')
    .option('-i, --input <file>', 'the archive, as docker load has it')
    .action(async (file: string | undefined, options: Where & { tag?: string; input?: string }) =>
      load(file ?? options.input, options),
    )
  verb('save <name...>', 'write images to an OCI archive, which docker load reads too')
    .requiredOption('-o, --output <file>', 'the archive; - for standard output')
    .action(async (names: string[], options: Where & { output: string }) => save(names, options))
  verb('ls', 'list images').action(async (options: Where) => list(options))
  verb('rm <name...>', 'remove images').action(async (names: string[], options: Where) => {
    code = await remove(names, options)
  })
  verb('build <directory>', 'make an image of a directory, by its Containerfile if it has one')
    .requiredOption('-t, --tag <name>', 'its name')
    .option('-f, --file <path>', 'the Containerfile')
    .option('-o, --output <file>', 'write it to an archive instead of loading it')
    .action(async (directory: string, options: BuildFlags) => build(directory, options))
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('commander.')) return (error as { exitCode: number }).exitCode
    process.stderr.write(`gantry image: ${(error as Error).message}\n`)
    return 1
  }
  return code
}

interface BuildFlags extends Where {
  tag: string
  file?: string
  output?: string
}

async function withTargets<T>(
  { dataDir: named, node }: Where,
  work: (targets: ImageTarget[]) => Promise<T>,
): Promise<T> {
  const dataDir = dataDirOf(named)
  const layout = layoutOf(dataDir)
  const settings = readSettings(layout.settings)
  if (!settings)
    throw new Error(`there is no cluster in ${dataDir}: start one with gantry up, or name it with --data-dir`)
  const targets = await openTargets(layout, settings, node)
  try {
    return await work(targets)
  } finally {
    for (const target of targets) target.close()
  }
}

async function load(file: string | undefined, options: Where & { tag?: string }): Promise<void> {
  if (file !== undefined && file !== '-' && !existsSync(file)) throw new Error(`there is no file ${file}`)
  await withTargets(options, async (targets) => {
    const { readArchive } = await import('../../node-agent/images/oci/read-archive.ts')
    const archive = await readArchive(file === undefined || file === '-' ? process.stdin : file)
    try {
      const { images } = archive
      if (images.length === 0) throw new Error('the archive holds no image for this machine')
      if (options.tag !== undefined) {
        if (images.length > 1) throw new Error(`--tag names one image, and the archive holds ${images.length}`)
        images[0]!.names = [wholeName(options.tag)]
      }
      const nameless = images.find(({ names }) => names.length === 0)
      if (nameless) throw new Error('an image in the archive has no name: give it one with --tag')
      for (const image of images) await loadInto(targets, image)
    } finally {
      await archive.close()
    }
  })
}

async function loadInto(targets: readonly ImageTarget[], image: OciImage): Promise<void> {
  const total = image.layers.reduce((sum, { descriptor }) => sum + descriptor.size, image.config.descriptor.size)
  const where = targets.length > 1 ? ` on ${targets.length} nodes` : ''
  const line = new ProgressLine(`loading ${image.names.join(', ')}${where}`)
  const done = targets.map(() => 0)
  await Promise.all(
    targets.map((target, i) =>
      target.load(image, (count) => {
        done[i] = count
        line.share(done.reduce((sum, part) => sum + part, 0) / (total * targets.length))
      }),
    ),
  )
  line.end(`loaded ${image.names.join(', ')} (${bytes(total)})${where}`)
}

async function save(names: readonly string[], options: Where & { output: string }): Promise<void> {
  await withTargets(options, async ([target]) => {
    const images = await Promise.all(
      names.map(async (name) => {
        const image = await target!.read(name)
        if (!image) throw new Error(`there is no image ${name} on ${target!.node}`)
        return { ...image, names: [wholeName(name)] }
      }),
    )
    await writeTo(images, options.output)
  })
}

async function writeTo(images: readonly OciImage[], output: string): Promise<void> {
  const { writeArchive } = await import('../../node-agent/images/oci/write-archive.ts')
  const line = new ProgressLine(`writing ${output}`)
  await writeArchive(images, output === '-' ? process.stdout : createWriteStream(output))
  line.end(`wrote ${output}`)
}

async function list(options: Where): Promise<void> {
  await withTargets(options, async (targets) => {
    const rows = [['NODE', 'NAME', 'ID', 'SIZE']]
    for (const target of targets) {
      for (const { id, names, sizeBytes } of await target.list()) {
        for (const name of names.length > 0 ? names : ['<none>']) {
          rows.push([target.node, name, id.replace('sha256:', '').slice(0, 12), bytes(sizeBytes)])
        }
      }
    }
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
    for (const row of rows) {
      process.stdout.write(
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('   ')
          .trimEnd()}\n`,
      )
    }
  })
}

function remove(names: readonly string[], options: Where): Promise<number> {
  return withTargets(options, async (targets) => {
    let code = 0
    for (const name of names) {
      const found = await Promise.all(targets.map((target) => target.remove(name)))
      if (found.includes(true)) process.stdout.write(`removed ${name}\n`)
      else {
        process.stderr.write(`gantry image: there is no image ${name}\n`)
        code = 1
      }
    }
    return code
  })
}

async function build(directory: string, options: BuildFlags): Promise<void> {
  const name = wholeName(options.tag)
  const workDir = mkdtempSync(join(tmpdir(), 'gantry-build-'))
  try {
    await withTargets(options, async (targets) => {
      const { buildImage } = await import('./build.ts')
      const image = await buildImage({
        name,
        context: directory,
        ...(options.file === undefined ? {} : { file: options.file }),
        target: targets[0]!,
        workDir,
        step: (text) => process.stdout.write(`${text}\n`),
        output: (text) => process.stdout.write(text),
      })
      if (options.output === undefined) await loadInto(targets, image)
      else await writeTo([image], options.output)
    })
  } finally {
    rmSync(workDir, { recursive: true, force: true })
  }
}

function wholeName(name: string): string {
  const whole = normalizeReference(name)
  if (whole === undefined) throw new Error(`${JSON.stringify(name)} is not a name for an image`)
  return whole
}
