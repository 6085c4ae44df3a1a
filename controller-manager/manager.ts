import { newDeploymentController } from './deployment/controller.ts'
import { newReplicaSetController, newReplicationController } from './replicaset/controller.ts'
import type { ControllerEntry } from './types.ts'

/** Every controller, in upstream's names. The order is that of the start. */
export const controllers: readonly ControllerEntry[] = [
  { name: 'deployment-controller', alias: 'deployment', make: newDeploymentController },
  { name: 'replicaset-controller', alias: 'replicaset', make: newReplicaSetController },
  {
    name: 'replicationcontroller-controller',
    alias: 'replicationcontroller',
    component: 'replication-controller',
    make: newReplicationController,
  },
]
