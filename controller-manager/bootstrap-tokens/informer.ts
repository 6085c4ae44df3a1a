import type { Secret } from '../../api/generated/types.ts'
import type { Informer } from '../../client/informer.ts'
import { secrets } from '../../client/resources.ts'
import type { ControllerDeps } from '../types.ts'
import { bootstrapTokenType } from './tokens.ts'

/** The tokens by which new nodes join. Only these: a cluster's secrets are many and large. */
export const bootstrapTokenInformer = ({ informers }: ControllerDeps): Informer<Secret> =>
  informers.own<Secret>(secrets, {
    namespace: 'kube-system',
    fieldSelector: `type=${bootstrapTokenType}`,
  })
