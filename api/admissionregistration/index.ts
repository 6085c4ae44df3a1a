import type { Resource } from '../machinery/resource.ts'
import { mutatingAdmissionPolicies } from './mutatingadmissionpolicy.ts'
import { mutatingAdmissionPolicyBindings } from './mutatingadmissionpolicybinding.ts'
import { mutatingWebhookConfigurations } from './mutatingwebhookconfiguration.ts'
import { validatingAdmissionPolicies } from './validatingadmissionpolicy.ts'
import { validatingAdmissionPolicyBindings } from './validatingadmissionpolicybinding.ts'
import { validatingWebhookConfigurations } from './validatingwebhookconfiguration.ts'

export {
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  mutatingWebhookConfigurations,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  validatingWebhookConfigurations,
}
export const admissionregistrationResources: readonly Resource[] = [
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  mutatingWebhookConfigurations,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  validatingWebhookConfigurations,
]
