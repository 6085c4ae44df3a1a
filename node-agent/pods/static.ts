import { createHash } from 'node:crypto'
import { watch } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Pod } from '../../api/generated/types.ts'
import type { Logger } from '../../client/logger.ts'
import type { BoundPod } from './types.ts'

export const sourceAnnotation = 'kubernetes.io/config.source'
export const hashAnnotation = 'kubernetes.io/config.hash'
export const mirrorAnnotation = 'kubernetes.io/config.mirror'
const seenAnnotation = 'kubernetes.io/config.seen'

/**
 * A pod from a file: named after the node too, its uid made from the file's text, so that a change makes another pod.
 * Throws an Error for what is no pod.
 */
export function staticPod(text: string, nodeName: string, seen: string): BoundPod {
  const pod = parse(text) as Pod | null
  if (pod?.kind !== 'Pod' || !pod.metadata?.name || !pod.spec?.containers?.length) {
    throw new Error('this is not a Pod with a name and containers')
  }
  const hash = createHash('md5').update(`${nodeName}\n${text}`).digest('hex')
  const { annotations, labels, namespace = 'default' } = pod.metadata
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${pod.metadata.name}-${nodeName}`,
      namespace,
      uid: hash,
      ...(labels ? { labels } : {}),
      annotations: {
        ...annotations,
        [sourceAnnotation]: 'file',
        [hashAnnotation]: hash,
        [seenAnnotation]: seen,
      },
    },
    spec: {
      enableServiceLinks: true,
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      terminationGracePeriodSeconds: 30,
      ...pod.spec,
      nodeName,
      // No taint keeps away a pod that is already here.
      tolerations: [...(pod.spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
    },
  }
}

/** The pod that stands for a static one in the API. */
export function mirrorOf(pod: BoundPod, nodeUid: string | undefined): Pod {
  const { name, namespace, labels, annotations } = pod.metadata
  const hash = annotations?.[hashAnnotation] ?? ''
  const owner = {
    apiVersion: 'v1',
    kind: 'Node',
    name: pod.spec.nodeName ?? '',
    uid: nodeUid ?? '',
    controller: true,
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, [mirrorAnnotation]: hash },
      ...(nodeUid === undefined ? {} : { ownerReferences: [owner] }),
    },
    spec: pod.spec,
  }
}

/** Tells of the pods in a file or directory, at first and whenever it changes, until the signal fires. */
export async function followStaticPods(options: {
  path: string
  nodeName: string
  now: () => string
  changed(pods: BoundPod[]): void
  log: Logger
  signal: AbortSignal
}): Promise<void> {
  const { path, nodeName, now, changed, log, signal } = options
  const read = async (): Promise<BoundPod[]> => {
    const files = (await stat(path)).isDirectory()
      ? (await readdir(path)).filter((name) => /^[^.].*\.(ya?ml|json)$/.test(name)).map((name) => join(path, name))
      : [path]
    const found = await Promise.all(
      files.sort().map(async (file) => {
        try {
          return staticPod(await readFile(file, 'utf8'), nodeName, now())
        } catch (error) {
          log.warn({ err: error, file }, 'a static pod cannot be read')
          return undefined
        }
      }),
    )
    return found.filter((pod) => pod !== undefined)
  }
  changed(await read())
  let reading = Promise.resolve()
  const again = (): void => {
    reading = reading
      .then(async () => changed(await read()))
      .catch((error) => {
        log.warn({ err: error }, 'static pods cannot be read')
      })
  }
  const watcher = watch(path, again)
  watcher.on('error', (error) => log.warn({ err: error }, 'static pods are watched no longer'))
  signal.addEventListener('abort', () => watcher.close())
}
