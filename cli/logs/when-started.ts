import type { Pod } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import type { Live } from '../../client/types.ts'
import type { Session } from '../session.ts'
import { inTime, untilSo } from '../until.ts'

/** Why a container has not started that will soon, if all is well. Other reasons are faults, which waiting mends not. */
const onItsWay = new Set(['ContainerCreating', 'PodInitializing'])

const startsLater = /is waiting to start: (\w+)$/

/** Reads a log; of a container that is just being made, once it has started, for which it waits `waitMs` at most. */
export async function whenStarted(
  session: Session,
  { pod, container }: { pod: Live<Pod>; container: string },
  waitMs: number,
  read: () => Promise<void>,
): Promise<void> {
  try {
    await read()
  } catch (error) {
    const [, reason = ''] = (error instanceof StatusError && startsLater.exec(error.message)) || []
    if (!onItsWay.has(reason)) throw error
    const { namespace, name } = pod.metadata
    const kind = (await session.kinds()).named('pods')
    const isOver = (object: unknown) => {
      const { status } = (object ?? {}) as Partial<Live<Pod>>
      const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
      const state = all.find((one) => one.name === container)?.state
      // Before its node has looked at it, a pod has no states at all.
      if (!object || !state) return !object || status?.phase !== 'Pending'
      return !state.waiting || !onItsWay.has(state.waiting.reason ?? '')
    }
    session.io.err(`waiting for container ${container} of pod ${name} to start\n`)
    if (!(await inTime(session, untilSo(session, { kind, name, namespace }, isOver), waitMs))) throw error
    await read()
  }
}
