import type { ContainerStatus, Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { HttpError, type PodView } from './types.ts'

/** The pod of a request. Throws 404. */
export function podOf(pods: PodView, namespace: string, name: string): Live<Pod> {
  const pod = pods.find(namespace, name)
  if (!pod) throw new HttpError(404, `pod ${JSON.stringify(name)} does not exist`)
  return pod
}

/** The id, in the runtime, of the container whose log is asked for. Throws upstream's words when there is none yet. */
export function loggedContainer(pods: PodView, pod: Live<Pod>, container: string, previous: boolean): string {
  const { name, namespace = '' } = pod.metadata
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {}
  if (![...containers, ...initContainers, ...ephemeralContainers].some((found) => found.name === container)) {
    throw new HttpError(404, `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(name)}`)
  }
  const id = pods.containerId(namespace, name, container, { previous })
  if (id) return withoutScheme(id)
  throw new HttpError(400, whyNot(pod, container, previous))
}

/** The id of a container that is to run a command or give its streams. Throws 404. */
export function runningContainer(pods: PodView, pod: Live<Pod>, container: string): string {
  const { name, namespace = '' } = pod.metadata
  const id = pods.containerId(namespace, name, container, { previous: false })
  if (!id) throw new HttpError(404, `container not found (${JSON.stringify(container)})`)
  return withoutScheme(id)
}

const withoutScheme = (id: string): string => id.slice(id.indexOf('://') === -1 ? 0 : id.indexOf('://') + 3)

function whyNot(pod: Live<Pod>, container: string, previous: boolean): string {
  const what = `container ${JSON.stringify(container)} in pod ${JSON.stringify(pod.metadata.name)}`
  if (previous) return `previous terminated ${what} not found`
  const status = statusOf(pod, container)
  if (!status) return `${what} is not available`
  const { waiting, terminated } = status.state ?? {}
  if (terminated) return `${what} is terminated`
  switch (waiting?.reason) {
    case undefined:
      return `${what} is waiting to start - no logs yet`
    case 'ErrImagePull':
      return `${what} is waiting to start: image can't be pulled`
    case 'ImagePullBackOff':
      return `${what} is waiting to start: trying and failing to pull image`
    default:
      return `${what} is waiting to start: ${waiting?.reason}`
  }
}

function statusOf({ status = {} }: Live<Pod>, container: string): ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = status
  return [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find(
    ({ name }) => name === container,
  )
}
