import type { ServiceAccount } from '../generated/types.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

export type ServiceAccountObject = Stored<ServiceAccount>

const mountableAnnotation = 'kubernetes.io/enforce-mountable-secrets'

export const serviceAccounts = defineResource<ServiceAccountObject>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.core.v1.ServiceAccount'),
  strategy: { returnDeleted: true, prepareForCreate: keepSecretNames, prepareForUpdate: keepSecretNames },
  warnings({ metadata }, old) {
    if (metadata.annotations?.[mountableAnnotation] === undefined) return []
    if (old?.metadata.annotations?.[mountableAnnotation] !== undefined) return []
    return [
      `metadata.annotations[${mountableAnnotation}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
    ]
  },
  subresources: [
    { name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
  ],
  columns: [nameColumn, ageColumn],
})

/** Of a reference to a secret only the name counts. */
function keepSecretNames(account: ServiceAccountObject): void {
  if (account.secrets) account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }))
}
