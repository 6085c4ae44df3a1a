import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { OciImage } from '../../node-agent/images/oci/image.ts'
import type { Cri } from '../../node-agent/runtime/cri.ts'
import { socketPath } from '../../node-agent/runtime/socket-path.ts'
import { nodeNames } from '../components.ts'
import type { Layout } from '../layout.ts'
import type { Settings } from '../settings.ts'

export interface ListedImage {
  id: string
  names: string[]
  sizeBytes: number
}

/** The images of one node. */
export interface ImageTarget {
  readonly node: string
  list(): Promise<ListedImage[]>
  /** Brings an image in; `progress` hears the bytes so far. */
  load(image: OciImage, progress?: (bytes: number) => void): Promise<void>
  /** The image as it can be saved; undefined: there is none of that name. */
  read(name: string): Promise<OciImage | undefined>
  /** Says whether there was one. */
  remove(name: string): Promise<boolean>
  /** Present for a runtime that can run a command on top of an image, for RUN. */
  readonly endpoint?: string
  readonly cri?: Cri
  close(): void
}

/** The images of a cluster's nodes, or of the one named. Throws an Error when a node's runtime has not been started yet. */
export async function openTargets(layout: Layout, settings: Settings, only?: string): Promise<ImageTarget[]> {
  const names = nodeNames(settings.nodes).filter((name) => only === undefined || name === only)
  if (names.length === 0) throw new Error(`the cluster has no node ${JSON.stringify(only)}`)
  return Promise.all(names.map((node) => openTarget(node, join(layout.node(node), 'runtime'), settings.runtime)))
}

/** The images of the node whose runtime keeps its files in `dataDir`. */
export async function openTarget(node: string, dataDir: string, runtime: Settings['runtime']): Promise<ImageTarget> {
  if (runtime === 'process') return (await import('./directory-target.ts')).directoryTarget(node, dataDir)
  const socket = socketPath(dataDir, `${runtime}.sock`)
  if (!existsSync(socket)) throw new Error(`the runtime of node ${node} does not run: start the cluster with gantry up`)
  if (runtime === 'hollow') return (await import('./hollow-target.ts')).hollowTarget(node, `unix://${socket}`)
  return (await import('./containerd-target.ts')).containerdTarget(node, `unix://${socket}`)
}
