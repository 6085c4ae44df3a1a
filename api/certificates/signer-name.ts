import { type FieldError, invalid, required, tooLong } from '../machinery/field-errors.ts'
import { isDNS1123Label, isDNS1123Subdomain } from '../machinery/names.ts'

const maxDomainBytes = 253
const maxPathBytes = 253 + 63 + 1

/** Faults of the name of a signer: `example.com/signer-name`. */
export function validateSignerName(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)]
  const segments = name.split('/')
  const [domain = '', rest = ''] = segments
  if (segments.length !== 2) {
    return [invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")]
  }
  const errors: FieldError[] = []
  if (Buffer.byteLength(domain) > maxDomainBytes) errors.push(tooLong(path, maxDomainBytes))
  errors.push(...firstBadLabel(domain, isDNS1123Label, path))
  if (!domain.includes('.')) {
    errors.push(invalid(path, domain, 'should be a domain with at least two segments separated by dots'))
  }
  errors.push(...firstBadLabel(rest, isDNS1123Subdomain, path))
  const maxBytes = maxDomainBytes + maxPathBytes + 1
  if (Buffer.byteLength(name) > maxBytes) errors.push(tooLong(path, maxBytes))
  return errors
}

/** Further labels would only repeat what is wrong with the first. */
function firstBadLabel(text: string, faultsOf: (label: string) => string[], path: string): FieldError[] {
  for (const label of text.split('.')) {
    const faults = faultsOf(label)
    if (faults.length > 0) {
      return faults.map((fault) => invalid(path, text, `validating label ${JSON.stringify(label)}: ${fault}`))
    }
  }
  return []
}
