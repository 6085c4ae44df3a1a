import type { Controller } from '../../client/controller.ts'
import { newDrivers } from '../csi/drivers.ts'
import type { ControllerDeps } from '../types.ts'
import { newCapacityController } from './capacity.ts'
import { newDeleteController } from './delete.ts'
import { newProvisionController } from './provision.ts'

/** What upstream's external-provisioner does, for the drivers that ask for the built-in controllers. */
export function newCsiProvisioner(deps: ControllerDeps): Controller[] {
  const drivers = newDrivers(deps)
  return [
    newProvisionController(deps, drivers),
    newDeleteController(deps, drivers),
    newCapacityController(deps, drivers),
  ]
}
