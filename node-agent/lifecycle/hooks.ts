import type { Container, LifecycleHandler } from '../../api/generated/types.ts'
import type { Clock } from '../../client/types.ts'
import { httpCheck, httpUrl } from '../probes/checks.ts'
import type { Cri } from '../runtime/cri.ts'

export interface HookTarget {
  containerId: string
  container: Container
  podIp: string
}

const httpTimeoutMs = 30_000

/** Runs a postStart or preStop hook to its end. Throws an Error that says why it failed. */
export async function runHook(
  { cri, clock }: { cri: Cri; clock: Clock },
  handler: LifecycleHandler,
  { containerId, container, podIp }: HookTarget,
  signal?: AbortSignal,
): Promise<void> {
  if (handler.exec) {
    const command = handler.exec.command ?? []
    const { exitCode, stdout, stderr } = await cri.execSync(containerId, command, 0)
    if (exitCode === 0) return
    const said = Buffer.concat([stdout, stderr]).toString('utf8').slice(0, 1024)
    throw new Error(`command '${command.join(' ')}' exited with ${exitCode}: ${said}`)
  }
  if (handler.httpGet) {
    const url = httpUrl(handler.httpGet, container, podIp)
    const { verdict, output } = await httpCheck(
      url,
      handler.httpGet.httpHeaders ?? [],
      httpTimeoutMs,
      'kube-lifecycle/1.36',
    )
    if (verdict === 'failure') throw new Error(output)
    return
  }
  if (handler.sleep) {
    await clock.sleep(handler.sleep.seconds * 1000, signal)
    return
  }
  throw new Error(`invalid handler: ${JSON.stringify(Object.keys(handler))}`)
}
