import type { ManifestObject } from '../manifests.ts'
import type { Session } from '../session.ts'
import { placesOf } from './in-manifest.ts'
import { nameHint } from './in-names.ts'

/** Shows where in the file a refusal finds fault, or what was meant by a name that is not there. */
export async function showPlaces(session: Session, error: unknown, manifest: ManifestObject): Promise<void> {
  const { schemaOf } = await import('../apply/schema-of.ts')
  const { apiVersion, kind } = manifest.object
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  for (const line of placesOf(error, manifest, schemaOf({ group, version, kind }))) session.io.err(`${line}\n`)
  session.io.err(await nameHint(session, error))
}
