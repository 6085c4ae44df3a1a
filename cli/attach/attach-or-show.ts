import type { Container, Pod } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import { pathOf } from '../../client/client.ts'
import { pods } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { attachTo } from '../attach.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'
import { inTime, type Place, untilSo } from '../until.ts'

/** How long a status may be behind what the runtime knows already. */
const settlingMs = 10_000
const silenceMs = 2_000

interface Attaching {
  stdin?: boolean
  tty?: boolean
  quiet?: boolean
  detachKeys?: string
}

/**
 * Connects with a container, or shows what it has printed where it has ended before anybody could connect. `isOver` says
 * of a pod that the container has.
 */
export async function attachOrShow(
  session: Session,
  pod: Live<Pod>,
  container: Container,
  flags: Attaching,
  isOver: (pod: Live<Pod>) => boolean,
): Promise<number> {
  const { name, namespace } = pod.metadata
  const over = async (limitMs: number) => {
    const kind = (await session.kinds()).named('pods')
    return Boolean(await followPod(session, { kind, name, namespace }, isOver, limitMs))
  }
  if (!isOver(pod)) {
    let isHeard = false
    try {
      const code = await attachTo(session, pod, container, flags, () => {
        isHeard = true
      })
      // It may have said all before we were connected: then its log has it. Where it goes on, it may just be silent.
      if (isHeard || container.tty || !(await over(silenceMs))) return code
    } catch (error) {
      // The server refuses with a status; a node that finds the container ended says so over the connection.
      if (!(error instanceof StatusError || error instanceof CliError)) throw error
      // Its status follows a moment later.
      if (!(await over(settlingMs))) throw error
    }
  }
  const answer = await session.raw('GET', pathOf(pods, namespace, name, 'log'), {
    query: { container: container.name },
    stream: true,
  })
  for await (const chunk of answer) await session.io.write('out', chunk as Buffer)
  return 0
}

/** The pod when it is so, or undefined where it does not become so in time. Without a limit: Infinity. */
export async function followPod(
  session: Session,
  place: Place,
  isSo: (pod: Live<Pod>) => boolean,
  limitMs: number,
): Promise<Live<Pod> | undefined> {
  let found: Live<Pod> | undefined
  const following = untilSo(session, place, (object) => {
    if (!object) throw new CliError(`pod ${place.name} is gone: somebody has deleted it meanwhile`)
    found = object as Live<Pod>
    return isSo(found)
  })
  return (await inTime(session, following, limitMs)) ? found : undefined
}
