import { randomBytes } from 'node:crypto'
import type { Pod } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import { isNotFound } from '../../client/errors.ts'
import { pods } from '../../client/resources.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'

/** A volume of a pod, where its node's agent serves it. */
export interface ServedVolume {
  namespace: string
  pod: string
  node: string
  volume: string
}

/** Where a node's agent serves what is in a pod's volume. */
export const archivePath = ({ namespace, pod, node, volume }: ServedVolume): string =>
  `/api/v1/nodes/${encodeURIComponent(node)}/proxy/volumes/${namespace}/${pod}/${encodeURIComponent(volume)}`

const lookMs = 300
const patienceMs = 300_000

/** A name that nothing else has. */
export const uniqueName = (prefix: string): string => `${prefix.slice(0, 50)}-${randomBytes(3).toString('hex')}`

/**
 * Has a claim brought to a node by a pod that does nothing else, for as long as `work` takes: so that any volume of any driver
 * can be read and written as pods do. Whether its container runs does not matter.
 */
export async function withCarrier<T>(
  session: Session,
  { claim, readOnly }: { claim: string; readOnly: boolean },
  work: (volume: ServedVolume) => Promise<T>,
): Promise<T> {
  const { namespace, client } = session
  const name = uniqueName(`volume-of-${claim}`)
  await client.create<Pod>(pods, carrierPod(name, namespace, claim, readOnly))
  try {
    return await work(await untilServed(session, name))
  } finally {
    // Also when the user has enough of it: nothing is to be left behind.
    await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
}

const volume = 'data'

/** As little as the strictest namespace lets in. */
function carrierPod(name: string, namespace: string, claimName: string, readOnly: boolean): Pod {
  return {
    metadata: { name, namespace, labels: { 'app.kubernetes.io/managed-by': 'gantry-volume' } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      tolerations: [{ operator: 'Exists' }],
      securityContext: { runAsNonRoot: true, runAsUser: 65535, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'carrier',
          // Every node has it: it holds the sandboxes.
          image: 'localhost/gantry/pause:1',
          imagePullPolicy: 'Never',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts: [{ name: volume, mountPath: '/data', readOnly }],
        },
      ],
      volumes: [{ name: volume, persistentVolumeClaim: { claimName, readOnly } }],
    },
  }
}

async function untilServed(session: Session, name: string): Promise<ServedVolume> {
  const { namespace, client, clock, signal } = session
  const until = clock.now() + patienceMs
  let why = 'no node was found for it'
  for (;;) {
    const { spec, status } = await client.get<Pod>(pods, { namespace, name }, { signal })
    const unscheduled = status?.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False')
    why = unscheduled?.message ?? why
    if (spec?.nodeName) {
      const served = { namespace, pod: name, node: spec.nodeName, volume }
      why = `node ${spec.nodeName} does not have it yet: see \`gantry describe pod ${name} -n ${namespace}\``
      if (await isServed(session, served)) return served
    }
    if (clock.now() > until) throw new CliError(`the volume was not brought to a node in time: ${why}`)
    await clock.sleep(lookMs, signal)
  }
}

async function isServed(session: Session, served: ServedVolume): Promise<boolean> {
  try {
    const answer = await session.raw('HEAD', archivePath(served))
    answer.resume()
    return true
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return false
    throw error
  }
}
