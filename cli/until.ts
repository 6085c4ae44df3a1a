import { isGone, isNotFound } from '../client/errors.ts'
import type { ServedKind } from './kinds.ts'
import { getObject, type NamedObject } from './objects.ts'
import type { Session } from './session.ts'
import { watchKind } from './watch.ts'

/** An object that may be there or not. */
export interface Place {
  kind: ServedKind
  name: string
  namespace: string | undefined
}

/** Whether work ends within the time; what has not ended then ends with the session. Without a limit: Infinity. */
export async function inTime(session: Session, work: Promise<unknown>, limitMs: number): Promise<boolean> {
  if (!Number.isFinite(limitMs)) {
    await work
    return true
  }
  work.catch(() => {})
  const done = new AbortController()
  // A timer that nobody waits for any longer would keep the process.
  const late = session.clock.sleep(Math.max(0, limitMs), done.signal).then(
    () => false,
    () => false,
  )
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    done.abort()
  }
}

/** Follows an object until `isSo` says that it is so: of the object, or of undefined where there is none. */
export async function untilSo(
  session: Session,
  { kind, name, namespace }: Place,
  isSo: (object: NamedObject | undefined) => boolean,
): Promise<void> {
  for (;;) {
    const object = await objectAt(session, { kind, name, namespace })
    if (isSo(object)) return
    try {
      await watchKind<NamedObject>(
        session,
        kind,
        { namespace, fieldSelector: `metadata.name=${name}` },
        {
          // Zero begins with whatever there is by then.
          resourceVersion: object?.metadata.resourceVersion ?? '0',
          onEvent: (type, changed) => isSo(type === 'DELETED' ? undefined : changed),
        },
      )
      return
    } catch (error) {
      // The server remembers no longer what has been since: look again.
      if (!isGone(error)) throw error
    }
  }
}

/** Waits until an object is gone, or another stands under its name. */
export const untilGone = (session: Session, place: Place & { uid?: string | undefined }): Promise<void> =>
  untilSo(session, place, (object) => !object || (Boolean(place.uid) && object.metadata.uid !== place.uid))

/** The object there, or undefined. */
export async function objectAt(session: Session, { kind, name, namespace }: Place): Promise<NamedObject | undefined> {
  try {
    return await getObject(session, kind, name, namespace)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
