import { ingresses } from './ingress.ts'
import { ingressClasses } from './ingressclass.ts'
import { ipAddresses } from './ipaddress.ts'
import { networkPolicies } from './networkpolicy.ts'
import { serviceCIDRs } from './servicecidr.ts'

/** The kinds of networking.k8s.io. */
export const networkingResources = [ingresses, ingressClasses, ipAddresses, networkPolicies, serviceCIDRs]
