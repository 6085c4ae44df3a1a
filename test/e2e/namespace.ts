import type { TestServer } from '../support/server.ts'

/**
 * Makes a namespace as a running cluster would: with the service account that every pod in it stands for. Controllers
 * make it there; these tests have an API server alone.
 */
export async function namespaceWithAccount({ kubectl }: TestServer, name: string): Promise<void> {
  await kubectl(`create namespace ${name}`)
  await kubectl(`create serviceaccount default -n ${name}`)
}
