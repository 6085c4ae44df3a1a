import { podOf, runningContainer } from './container-of.ts'
import { HttpError, type Request, type ServerContext } from './types.ts'

/** `POST /run/NAMESPACE/POD/CONTAINER?cmd=…`: runs a command and answers what it printed. */
export async function runCommand({ pods, runtime }: ServerContext, { req, res, parts, query }: Request): Promise<void> {
  if (req.method !== 'POST') throw new HttpError(405, 'Method Not Allowed')
  const [namespace = '', name = ''] = parts
  const id = runningContainer(pods, podOf(pods, namespace, name), parts.at(-1) ?? '')
  const command = (query.get('cmd') ?? '').split(' ').filter((word) => word !== '')
  if (command.length === 0) throw new HttpError(400, 'a command is needed: ?cmd=…')
  const { stdout, stderr, exitCode } = await runtime.cri.execSync(id, command)
  if (exitCode !== 0) res.statusCode = 500
  res.setHeader('Content-Type', 'text/plain; charset=utf-8')
  res.write(stdout)
  res.end(
    exitCode === 0 ? stderr : Buffer.concat([stderr, Buffer.from(`command terminated with exit code ${exitCode}\n`)]),
  )
}
