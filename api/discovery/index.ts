import { endpointSlices } from './endpointslice.ts'

/** The kinds of discovery.k8s.io. */
export const discoveryResources = [endpointSlices]
