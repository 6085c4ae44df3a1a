import type { PersistentVolumeClaim, Pod } from '../../api/generated/types.ts'
import { isNotFound } from '../../client/errors.ts'
import { persistentVolumeClaims, pods } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { CliError } from '../errors.ts'
import type { Session } from '../session.ts'

/** The claim; undefined: there is none of the name. */
export const findClaim = (session: Session, name: string): Promise<Live<PersistentVolumeClaim> | undefined> =>
  session.client
    .get<PersistentVolumeClaim>(
      persistentVolumeClaims,
      { namespace: session.namespace, name },
      { signal: session.signal },
    )
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined
      throw error
    })

/** A claim whose contents can be read. Throws for one that has none, or no files. */
export async function claimWithFiles(session: Session, name: string): Promise<Live<PersistentVolumeClaim>> {
  const claim = await findClaim(session, name)
  if (!claim) throw new CliError(`there is no claim ${JSON.stringify(name)} in namespace ${session.namespace}`)
  if (claim.status?.phase !== 'Bound') throw new CliError(`the claim ${name} has no volume yet: there is nothing in it`)
  if (claim.spec?.volumeMode === 'Block') {
    throw new CliError(`the claim ${name} is a block device: an archive holds files only`)
  }
  return claim
}

/** A pod that has a claim mounted, and its own name for it. */
export interface ClaimUser {
  pod: Live<Pod>
  volume: string
}

/** The pods at work with a claim. */
export function usersOf(claim: string, all: readonly Live<Pod>[]): ClaimUser[] {
  return all.flatMap((pod) => {
    const { phase } = pod.status ?? {}
    if (!pod.spec?.nodeName || phase === 'Succeeded' || phase === 'Failed') return []
    const used = (pod.spec.volumes ?? []).find(({ name, persistentVolumeClaim, ephemeral }) =>
      ephemeral ? `${pod.metadata.name}-${name}` === claim : persistentVolumeClaim?.claimName === claim,
    )
    return used ? [{ pod, volume: used.name }] : []
  })
}

/** All pods of the namespace, or of all. */
export const podsIn = async (session: Session, namespace: string | undefined): Promise<Live<Pod>[]> =>
  (await session.client.list<Pod>(pods, { ...(namespace ? { namespace } : {}), signal: session.signal })).items
