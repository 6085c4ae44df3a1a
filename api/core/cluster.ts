import { bindings } from './binding.ts'
import { componentStatuses } from './componentstatus.ts'
import { configMaps } from './configmap.ts'
import { endpoints } from './endpoints.ts'
import { events } from './event.ts'
import { limitRanges } from './limitrange.ts'
import { namespaces } from './namespace.ts'
import { nodes } from './node.ts'
import { persistentVolumes } from './persistentvolume.ts'
import { persistentVolumeClaims } from './persistentvolumeclaim.ts'
import { resourceQuotas } from './resourcequota.ts'
import { secrets } from './secret.ts'
import { services } from './service.ts'
import { serviceAccounts } from './serviceaccount.ts'

/** The kinds of the core group, those about pods excepted. */
export const coreClusterResources = [
  bindings,
  componentStatuses,
  configMaps,
  endpoints,
  events,
  limitRanges,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  resourceQuotas,
  secrets,
  serviceAccounts,
  services,
]
