import { CriError } from '../runtime/cri.ts'
import { loggedContainer, podOf } from './container-of.ts'
import { type LogOptions, readLog } from './log-reader.ts'
import { HttpError, type Request, type ServerContext } from './types.ts'

/** `/containerLogs/NAMESPACE/POD/CONTAINER` */
export async function containerLogs(
  { pods, runtime }: ServerContext,
  { res, parts, query, signal }: Request,
): Promise<void> {
  const [namespace = '', name = '', container = ''] = parts
  if (name === '') throw new HttpError(400, '{"message": "Missing podID."}')
  if (container === '') throw new HttpError(400, '{"message": "Missing container name."}')
  const { previous, ...options } = logOptions(query)
  const pod = podOf(pods, namespace, name)
  const id = loggedContainer(pods, pod, container, previous)
  const path = await logPathOf(runtime.cri, id)
  const isRunning = async () => {
    try {
      return (await runtime.cri.containerStatus(id)).status.state === 'CONTAINER_RUNNING'
    } catch (error) {
      if (error instanceof CriError && error.code === 'notFound') return false
      throw error
    }
  }
  await sendLog(res, readLog(path, options, isRunning, signal), signal)
}

/** A log's text, at the pace the client reads it. */
export async function sendLog(res: Request['res'], log: AsyncIterable<Buffer>, signal: AbortSignal): Promise<void> {
  res.setHeader('Content-Type', 'text/plain')
  // At once: a client that follows a silent container must know that it is followed.
  res.flushHeaders()
  for await (const chunk of log) {
    if (signal.aborted) return
    if (!res.write(chunk)) {
      await new Promise<void>((resolve) => {
        res.once('drain', resolve)
        res.once('close', resolve)
      })
    }
  }
  res.end()
}

async function logPathOf(cri: ServerContext['runtime']['cri'], id: string): Promise<string> {
  try {
    return (await cri.containerStatus(id)).status.logPath
  } catch (error) {
    if (!(error instanceof CriError && error.code === 'notFound')) throw error
    throw new HttpError(500, `unable to retrieve container logs for ${id}`)
  }
}

/** Throws 422 for what is no number or time. */
export function logOptions(query: URLSearchParams): LogOptions & { previous: boolean } {
  const flag = (name: string) => ['true', '1', ''].includes(query.get(name) ?? 'false')
  const number = (name: string, least: number) => {
    const text = query.get(name)
    if (text === null || text === '') return undefined
    const value = Number(text)
    if (!Number.isInteger(value) || value < least) throw new HttpError(422, '{"message": "Invalid request."}')
    return value
  }
  const tailLines = number('tailLines', 0)
  const limitBytes = number('limitBytes', 1)
  const sinceSeconds = number('sinceSeconds', 1)
  const sinceTime = query.get('sinceTime')
  const sinceMs =
    sinceSeconds === undefined ? (sinceTime ? Date.parse(sinceTime) : undefined) : Date.now() - sinceSeconds * 1000
  if (Number.isNaN(sinceMs)) throw new HttpError(422, '{"message": "Invalid request."}')
  const stream = { Stdout: 'stdout', Stderr: 'stderr' }[query.get('stream') ?? ''] as 'stdout' | 'stderr' | undefined
  return {
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(stream === undefined ? {} : { stream }),
  }
}
