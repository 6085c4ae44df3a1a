import { StatusError } from '../../api/machinery/errors.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import { type DryRun, dryRunQuery } from '../dry-run.ts'
import { CliError, explain } from '../errors.ts'
import type { NamedObject } from '../objects.ts'
import type { Session } from '../session.ts'

/** As many as the server takes in one transaction. */
const most = 100

interface Result {
  operation: string
  object: AnyObject
  outcome: string
}

export interface AtomicOptions {
  dryRun: DryRun
  fieldManager: string
  force: boolean
}

/** Applies objects and deletes others, all of it or nothing, at one revision; the server merges. */
export async function applyAtomically(
  session: Session,
  applied: readonly NamedObject[],
  deleted: readonly NamedObject[],
  { dryRun, fieldManager, force }: AtomicOptions,
): Promise<Result[]> {
  if (applied.length + deleted.length > most)
    throw new CliError(`--atomic takes ${most} objects at once, and these are ${applied.length + deleted.length}`)
  const operations = [
    ...applied.map((object) => ({ operation: 'apply', object: withoutManagers(object) })),
    ...deleted.map(({ apiVersion, kind, metadata: { name, namespace, uid } }) => ({
      operation: 'delete',
      object: { apiVersion, kind, metadata: { name, ...(namespace ? { namespace } : {}), uid } },
    })),
  ]
  const answer = await session
    .json<{ status: { results: Result[] } }>('POST', '/apis/gantry.dev/v1/transactions', {
      query: { fieldManager, force: String(force), ...dryRunQuery(dryRun) },
      body: JSON.stringify({ apiVersion: 'gantry.dev/v1', kind: 'Transaction', spec: { operations } }),
    })
    .catch((error: unknown) => {
      if (!(error instanceof StatusError)) throw error
      session.io.err(explain(error).text)
      throw new CliError('nothing was changed: all is applied, or nothing')
    })
  return answer.status.results
}

function withoutManagers(object: NamedObject): NamedObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}
