import type { ContainerStatus, Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'

/** Once may be bad luck: a container that has been started so often again and waits for yet another try is looping. */
const restarts = 2

/** The container of the pod that crashes again and again, and how, in a few words; undefined if there is none. */
export function crashLoop({ metadata, status }: Live<Pod>): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return undefined
  const looping = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].find(
    ({ state, restartCount }) => state?.waiting?.reason === 'CrashLoopBackOff' && restartCount >= restarts,
  )
  return looping && `container ${looping.name} of pod ${metadata.name} crashes again and again${lastWords(looping)}`
}

function lastWords({ lastState }: ContainerStatus): string {
  const end = lastState?.terminated
  if (!end) return ''
  return ` (${end.reason && end.reason !== 'Error' ? `${end.reason}, ` : ''}exit code ${end.exitCode})`
}
