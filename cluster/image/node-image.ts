import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Blob, makeImage, type OciImage, ownPlatform } from '../../node-agent/images/oci/image.ts'
import { fileLayer, type LayerEntry, writeLayer } from '../../node-agent/images/oci/layer-file.ts'

export interface NodeImageOptions {
  /** The image's whole name. */
  name: string
  /** The directory of the application; it becomes `/app`, and the working directory. */
  app: string
  /** Arguments of node, such as `['server.js']`. */
  command: readonly string[]
  env?: readonly string[]
  ports?: readonly number[]
  /** Where layers are kept for the next time. */
  cacheDir: string
  /** Leave Node out: the process runtime runs the machine's own. */
  withoutNode?: boolean
}

/**
 * An image of an application and of this machine's own Node with the libraries that it needs: no registry, and nothing to
 * download. Made anew only as far as something has changed.
 */
export async function buildNodeImage(options: NodeImageOptions): Promise<OciImage> {
  const { name, app, command, env = [], ports = [], cacheDir, withoutNode = false } = options
  const layers = [
    ...(withoutNode ? [] : [await nodeLayer(cacheDir)]),
    await writeLayer(join(cacheDir, `app-${createHash('sha256').update(name).digest('hex').slice(0, 16)}.tar`), [
      { name: 'app', source: app, follow: true, mode: 0o755 },
    ]),
  ]
  const { os, architecture } = ownPlatform()
  return makeImage(
    [name],
    {
      created: new Date(0).toISOString(),
      os,
      architecture,
      config: {
        Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production', ...env],
        Entrypoint: ['node'],
        Cmd: [...command],
        WorkingDir: '/app',
        User: '65532:65532',
        ...(ports.length > 0 ? { ExposedPorts: Object.fromEntries(ports.map((port) => [`${port}/tcp`, {}])) } : {}),
      },
    },
    layers,
  )
}

/** Node, the libraries it is linked to, and the few files that programs expect. Kept until one of them changes. */
async function nodeLayer(cacheDir: string): Promise<Blob> {
  const files = [process.execPath, ...(await librariesOf(process.execPath))]
  const facts = files.map((file) => {
    const { size, mtimeMs } = statSync(file)
    return [file, size, mtimeMs]
  })
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32)
  const path = join(cacheDir, `node-${key}.tar`)
  const digestPath = `${path}.digest`
  if (existsSync(path) && existsSync(digestPath)) return fileLayer(path, readFileSync(digestPath, 'utf8'))
  const entries: LayerEntry[] = [
    { name: 'usr/local/bin/node', source: realpathSync(process.execPath), mode: 0o755 },
    ...files.slice(1).map((file) => ({ name: file.slice(1), source: realpathSync(file), mode: 0o755 })),
    { name: 'tmp', mode: 0o1777 },
    { name: 'etc/passwd', text: 'root:x:0:0:root:/root:/bin/false\nnonroot:x:65532:65532:nonroot:/app:/bin/false\n' },
    { name: 'etc/group', text: 'root:x:0:\nnonroot:x:65532:\n' },
    { name: 'etc/nsswitch.conf', text: 'hosts: files dns\n' },
  ]
  const layer = await writeLayer(path, entries)
  writeFileSync(`${digestPath}.new`, layer.descriptor.digest)
  renameSync(`${digestPath}.new`, digestPath)
  return layer
}

/** What the loader would load, the loader itself included, by the paths at which it looks for them. */
async function librariesOf(program: string): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)('ldd', [program])
    return [...stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path = '']) => path)
  } catch (error) {
    // A program that is linked to nothing makes ldd fail.
    if (/not a dynamic executable|statically linked/.test(String((error as { stderr?: string }).stderr))) return []
    throw new Error(`cannot find out what ${program} is linked to: ${(error as Error).message}`)
  }
}
