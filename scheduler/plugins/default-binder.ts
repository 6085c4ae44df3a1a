import type { Binding } from '../../api/generated/types.ts'
import { pods } from '../../client/resources.ts'
import type { Api } from '../../client/types.ts'
import type { Plugin } from '../framework/plugin.ts'

/** Tells the API server which node the pod has. */
export const newDefaultBinder = (api: Api): Plugin => ({
  name: 'DefaultBinder',
  async bind(_state, { namespace, name, uid }, nodeName) {
    const binding: Binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { namespace, name, uid },
      target: { kind: 'Node', name: nodeName },
    }
    try {
      await api.submit(pods, binding, { subresource: 'binding' })
    } catch (error) {
      throw new Error(`binding rejected: ${(error as Error).message}`, { cause: error })
    }
    return 'bound'
  },
})
