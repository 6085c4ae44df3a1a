import type { Live } from '../../client/types.ts'
import { keptBy } from '../finalizers.ts'
import { getObject, listObjects, type NamedObject } from '../objects.ts'
import { alignTabs } from '../print/tabs.ts'
import type { Session } from '../session.ts'
import type { Subject } from '../workloads.ts'
import type { Surroundings } from './describer.ts'
import { describerOf } from './describers.ts'
import { eventLines, eventsOf } from './events.ts'

/** What is to be known of an object, as text; with its events, and what to do when it is stuck. */
export async function describeObject(
  session: Session,
  { kind, object }: Subject,
  { showEvents }: { showEvents: boolean },
): Promise<string> {
  const describer = describerOf(kind)
  const around = surroundings(session)
  const withEvents = showEvents && describer.events
  const [lines, events] = await Promise.all([
    describer.lines(object, around),
    withEvents ? eventsOf(around, kind, object) : [],
  ])
  const hint = withEvents ? ((await describer.hint?.(object, events, around)) ?? keptBy(kind, object)) : undefined
  const all = [...lines, ...(withEvents ? eventLines(events, around.nowMs) : [])]
  const text = `${alignTabs(all.map(withoutControls).join('\n'), { padding: 2 })}\n`
  return hint ? `${text}\nHint: ${hint}\n` : text
}

/** What describers and hints may ask of the server. */
export function surroundings(session: Session): Surroundings {
  const named = async (resource: string) => (await session.kinds()).named(resource)
  return {
    nowMs: session.clock.now(),
    list: async <T>(resource: string, selection: Parameters<Surroundings['list']>[1]) =>
      (await listObjects(session, await named(resource), selection)) as unknown as Live<T>[],
    get: async <T>(resource: string, name: string, namespace?: string) =>
      (await getObject(session, await named(resource), name, namespace)) as NamedObject as unknown as Live<T>,
  }
}

/** What would move the terminal's cursor is shown as what it is. */
const withoutControls = (line: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  line.replace(/\u001b/g, '^[').replace(/\r/g, '\\r')
