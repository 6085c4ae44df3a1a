import { isDeepStrictEqual } from 'node:util'
import type { OwnerReference } from '../../api/generated/types.ts'
import { parseApiVersion } from '../../api/machinery/object.ts'
import type { AdmissionContext } from './context.ts'
import { refuse } from './refuse.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './types.ts'

/**
 * Who changes the owners of an object must be allowed to delete it, for that is what it comes to; who lets it block the
 * deletion of an owner must be allowed to set the owner's finalizers.
 */
export function createOwnerReferencesPermissionEnforcement({
  authorizer,
  lookupKind,
}: AdmissionContext): AdmissionPlugin {
  const refuseUnless = async (attributes: AdmissionAttributes, question: Question, why: string) => {
    const { allowed, reason } = await authorizer.authorize({ path: '', user: attributes.user, ...question })
    if (!allowed) throw refuse(attributes, `${why}: ${reason}, <nil>`)
  }
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    handles: ({ resource, operation, subresource, object, old }) =>
      (operation === 'CREATE' || operation === 'UPDATE') &&
      object !== undefined &&
      // A pod's status cannot change its owners.
      !(resource.group === '' && resource.plural === 'pods' && subresource === 'status') &&
      !isDeepStrictEqual(object.metadata.ownerReferences ?? [], old?.metadata.ownerReferences ?? []),
    async validate(attributes) {
      const { operation, resource, subresource, namespace, name, object, old } = attributes
      const { group, plural } = resource
      if (operation !== 'CREATE') {
        const question = { verb: 'delete', group, resource: plural, subresource, namespace, name }
        await refuseUnless(attributes, question, "cannot set an ownerRef on a resource you can't delete")
      }
      const blocking = newlyBlocking(object?.metadata.ownerReferences ?? [], old?.metadata.ownerReferences ?? [])
      if (blocking.length === 0) return
      const anything = {
        verb: 'update',
        group: '*',
        resource: '*',
        subresource: 'finalizers',
        namespace: '',
        name: '*',
      }
      if ((await authorizer.authorize({ path: '', user: attributes.user, ...anything })).allowed) return
      for (const { apiVersion, kind, name: ownerName } of blocking) {
        const owner = lookupKind(parseApiVersion(apiVersion).group, kind)
        if (!owner) {
          throw refuse(
            attributes,
            `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}: no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`,
          )
        }
        const question = {
          verb: 'update',
          group: owner.group,
          resource: owner.plural,
          subresource: 'finalizers',
          namespace: owner.namespaced ? namespace : '',
          name: ownerName,
        }
        const why =
          "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on"
        await refuseUnless(attributes, question, why)
      }
    },
  }
}

interface Question {
  verb: string
  group: string
  resource: string
  subresource: string
  namespace: string
  name: string
}

const newlyBlocking = (references: readonly OwnerReference[], old: readonly OwnerReference[]): OwnerReference[] =>
  references.filter(
    ({ blockOwnerDeletion, uid }) =>
      blockOwnerDeletion && !old.find((before) => before.uid === uid)?.blockOwnerDeletion,
  )
