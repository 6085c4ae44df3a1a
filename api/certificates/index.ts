import type { Resource } from '../machinery/resource.ts'
import { certificateSigningRequests, stampConditions, validateApprovalUpdate } from './certificatesigningrequest.ts'

export { certificateSigningRequests, stampConditions, validateApprovalUpdate }
export const certificatesResources: readonly Resource[] = [certificateSigningRequests]
