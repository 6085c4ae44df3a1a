import { logOptions, sendLog } from './container-logs.ts'
import { readLog } from './log-reader.ts'
import { HttpError, type Request, type ServerContext } from './types.ts'

/** `/keptLogs` or `/keptLogs/NAMESPACE`: the deleted pods whose logs are here; `/keptLogs/NAMESPACE/UID/CONTAINER`: one of the logs. */
export async function keptLogs(
  { keptLogs: kept }: ServerContext,
  { res, parts, query, signal }: Request,
): Promise<void> {
  const [namespace = '', uid, container = ''] = parts
  const pods = await kept.list(namespace)
  if (uid === undefined) {
    res.setHeader('Content-Type', 'application/json')
    res.end(JSON.stringify({ items: pods }))
    return
  }
  const { previous, follow: _, ...options } = logOptions(query)
  const pod = pods.find((each) => each.uid === uid)
  if (!pod) throw new HttpError(404, `no logs of a deleted pod with uid ${JSON.stringify(uid)} are kept here`)
  const path = await kept.file(pod, container, previous)
  if (path === undefined) {
    throw new HttpError(
      404,
      `no ${previous ? 'previous ' : ''}log of container ${JSON.stringify(container)} in pod ${JSON.stringify(pod.name)} is kept: there are those of ${pod.containers.join(', ')}`,
    )
  }
  await sendLog(
    res,
    readLog(path, options, async () => false, signal),
    signal,
  )
}
