import { readdirSync, readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { isNotFound } from '../client/errors.ts'
import { apiVersionOf, resourceFor } from '../client/resources.ts'
import type { Api } from '../client/types.ts'

/** An object as a manifest holds it. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
}

const fieldManager = 'gantry'

/** Applies every object of a directory's YAML files as the cluster's own, but for those of kinds that not every server has. */
export async function applyFiles(
  api: Api,
  directory: string,
  prepare: (object: Manifest) => Manifest = (object) => object,
): Promise<Manifest[]> {
  const objects = readdirSync(directory)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .flatMap((file) => parseAllDocuments(readFileSync(`${directory}/${file}`, 'utf8')))
    .map((document) => prepare(document.toJS() as Manifest))
  for (const object of objects) await applyObject(api, object)
  return objects
}

async function applyObject(api: Api, object: Manifest): Promise<void> {
  const ref = resourceFor(object.apiVersion, object.kind)
  if (!ref) throw new Error(`nothing is known of the kind ${object.kind} in ${object.apiVersion}`)
  const namespace = object.metadata.namespace ?? 'default'
  const key = { name: object.metadata.name, ...(ref.namespaced ? { namespace } : {}) }
  const body = { ...object, apiVersion: apiVersionOf(ref) }
  await api.patch(ref, key, { type: 'apply', body, force: true }, { fieldManager }).catch((error: unknown) => {
    if (!ref.optional || !isNotFound(error)) throw error
  })
}
