import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { pack } from 'tar-stream'
import {
  type Blob,
  bytesBlob,
  digestOf,
  makeImage,
  mediaTypes,
  type OciImage,
  ownPlatform,
} from '../node-agent/images/oci/image.ts'
import { chunksOf, tarBytes } from '../node-agent/images/oci/tar.ts'
import { importImage } from '../node-agent/runtime/containerd/import.ts'
import { openStore } from '../node-agent/runtime/containerd/store.ts'
import { DirectoryImages } from '../node-agent/runtime/process/images.ts'
import { socketPath } from '../node-agent/runtime/socket-path.ts'
import { nodeNames } from './components.ts'
import { ownFile } from './gantry-program.ts'
import type { Layout } from './layout.ts'
import { findProgram } from './runtime-choice.ts'
import type { Settings } from './settings.ts'

const versions = ['1', '2']
const nameOf = (version: string): string => `gantry.local/hello:${version}`

/**
 * Sees to it that every node has the images of manifests/quickstart: this machine's own Node with the libraries it needs,
 * busybox where there is one, and the application, once a version. Resolves to whether any had to be made.
 */
export async function ensureQuickstartImages(layout: Layout, { runtime, nodes }: Settings): Promise<boolean> {
  if (runtime === 'hollow') return false
  const application = readFileSync(ownFile('manifests/quickstart/app/server.mjs'))
  const key = digestOf(Buffer.from(`${process.version}\n${application}`))
  const stores = nodeNames(nodes).map((name) => {
    const dataDir = join(layout.node(name), 'runtime')
    return runtime === 'containerd' ? containerdStore(dataDir, key) : processStore(dataDir, key)
  })
  try {
    const there = await Promise.all(stores.map((store) => store.has()))
    const missing = stores.filter((_, i) => !there[i])
    if (missing.length === 0) return false
    const app = bytesBlob(mediaTypes.layer, await tarBytes([{ name: 'app/server.mjs', content: application }]))
    // Without isolation, a container runs the machine's Node anyway.
    const layers = runtime === 'containerd' ? [await systemLayer(), app] : [app]
    for (const version of versions) {
      const image = imageOf(version, layers)
      for (const store of missing) await store.load(image)
    }
    for (const store of missing) store.keep()
    return true
  } finally {
    for (const store of stores) store.close()
  }
}

const imageOf = (version: string, layers: readonly Blob[]): OciImage =>
  makeImage(
    [nameOf(version)],
    {
      ...ownPlatform(),
      created: new Date(0).toISOString(),
      config: {
        Entrypoint: ['node', '/app/server.mjs'],
        Env: [`PATH=${searchPath}`, `VERSION=${version}`],
        ExposedPorts: { '8080/tcp': {} },
      },
    },
    layers,
  )

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The images of one node, whose agent runs meanwhile. */
interface ImageStore {
  has(): Promise<boolean>
  load(image: OciImage): Promise<void>
  /** Remembers what its images were made of. */
  keep(): void
  close(): void
}

function containerdStore(dataDir: string, key: string): ImageStore {
  const store = openStore(`unix://${socketPath(dataDir, 'containerd.sock')}`)
  return {
    ...remembered(dataDir, key, async () => (await store.image(nameOf('2'))) !== undefined),
    load: (image) => importImage(store, image),
    close: () => store.close(),
  }
}

function processStore(dataDir: string, key: string): ImageStore {
  const images = new DirectoryImages(join(dataDir, 'images'))
  return {
    ...remembered(dataDir, key, async () => images.find(nameOf('2')) !== undefined),
    load: async (image) => void (await images.load(image)),
    close: () => {},
  }
}

function remembered(dataDir: string, key: string, isThere: () => Promise<boolean>): Pick<ImageStore, 'has' | 'keep'> {
  const stamp = join(dataDir, 'quickstart-image')
  return {
    has: async () => existsSync(stamp) && readFileSync(stamp, 'utf8') === key && (await isThere()),
    keep: () => writeFileSync(stamp, key),
  }
}

type Entry = { name: string; mode: number } & (
  | { file: string }
  | { link: string }
  | { text: string }
  | { folder: true }
)

/** Node, its libraries, and a shell with small tools where busybox is installed. A hundred megabytes: never in memory. */
async function systemLayer(): Promise<Blob> {
  const node = realpathSync(process.execPath)
  const entries: Entry[] = [
    { name: 'usr/local/bin/node', mode: 0o755, file: node },
    ...librariesOf(node).map((path) => ({ name: path.slice(1), mode: 0o755, file: realpathSync(path) })),
    { name: 'tmp', mode: 0o1777, folder: true },
    { name: 'etc/passwd', mode: 0o644, text: 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' },
    { name: 'etc/group', mode: 0o644, text: 'root:x:0:\nnogroup:x:65534:\n' },
    ...busybox(),
  ]
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of packed(entries)) {
    hash.update(chunk)
    size += chunk.length
  }
  return {
    descriptor: { mediaType: mediaTypes.layer, digest: `sha256:${hash.digest('hex')}`, size },
    open: () => packed(entries),
  }
}

/** What the loader would bring in, the loader included; nothing for a program that brings all it needs. */
function librariesOf(program: string): string[] {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return [...listed.matchAll(/(?:=> |^\s*)(\/\S+)/gm)].map(([, path]) => path as string)
}

/** One program under the names of many. One that is not static would not run without its libraries. */
function busybox(): Entry[] {
  const program = findProgram('busybox')
  if (program === undefined) return []
  const names = execFileSync(program, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  return [
    { name: 'bin/busybox', mode: 0o755, file: realpathSync(program) },
    ...names
      .filter((name) => name !== 'busybox')
      .map((name) => ({ name: `bin/${name}`, mode: 0o777, link: 'busybox' })),
  ]
}

/** A tar of the entries, the same bytes each time. */
function packed(entries: readonly Entry[]): AsyncIterable<Uint8Array> {
  const tar = pack()
  fill(tar, entries).catch((error: Error) => tar.destroy(error))
  return chunksOf(tar)
}

async function fill(tar: ReturnType<typeof pack>, entries: readonly Entry[]): Promise<void> {
  const mtime = new Date(0)
  for (const entry of entries) {
    const { name, mode } = entry
    if ('link' in entry) tar.entry({ name, mode, mtime, type: 'symlink', linkname: entry.link })
    else if ('folder' in entry) tar.entry({ name, mode, mtime, type: 'directory' })
    else if ('text' in entry) tar.entry({ name, mode, mtime }, entry.text)
    else {
      const sink = tar.entry({ name, mode, mtime, size: statSync(entry.file).size })
      createReadStream(entry.file, { highWaterMark: 1 << 20 }).pipe(sink)
      await finished(sink)
    }
  }
  tar.finalize()
}
