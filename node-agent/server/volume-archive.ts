import { stat } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { pack } from 'tar-stream'
import { packTree } from '../volumes/archive/pack.ts'
import { unpackTree } from '../volumes/archive/unpack.ts'
import { HttpError, type Request, type ServerContext } from './types.ts'

/**
 * `GET /volumes/NAMESPACE/POD/VOLUME`: what is in a pod's volume, as a tar. `HEAD`: whether it is there. `POST`: puts the contents of one into it, and answers
 * how much that was. An answer that breaks off is not whole.
 */
export async function volumeArchive(context: ServerContext, { req, res, parts, signal }: Request): Promise<void> {
  const [namespace = '', name = '', volume = ''] = parts
  const path = await directoryOf(context, namespace, name, volume)
  if (req.method === 'HEAD') {
    res.end()
    return
  }
  if (req.method === 'GET') {
    const archive = pack()
    res.writeHead(200, { 'Content-Type': 'application/x-tar' })
    archive.pipe(new PassThrough()).pipe(res)
    await packTree(path, archive, signal).catch((error: Error) => {
      archive.destroy()
      res.destroy(error)
      if (!signal.aborted) throw error
    })
    return
  }
  if (req.method !== 'POST') throw new HttpError(405, 'volumes are read by GET and written by POST')
  const put = await unpackTree(path, req).catch((error: Error) => {
    throw new HttpError(400, `the archive cannot be put back: ${error.message}`)
  })
  res.setHeader('Content-Type', 'application/json')
  res.end(JSON.stringify(put))
}

async function directoryOf(
  { pods, volumes }: ServerContext,
  namespace: string,
  name: string,
  volume: string,
): Promise<string> {
  const uid = pods.find(namespace, name)?.metadata.uid
  const path = uid && (await volumes.pathOf(uid, volume))
  if (!path)
    throw new HttpError(404, `pod ${namespace}/${name} has no volume ${JSON.stringify(volume)} on this node yet`)
  if (!(await stat(path)).isDirectory()) throw new HttpError(400, `volume ${volume} is no file system`)
  return path
}
