import type { Container, ResourceFieldSelector } from '../../api/generated/types.ts'
import { quantityMilli, quantityValue } from '../../api/machinery/quantity.ts'

/** What a variable made from a container's own resources will hold, as far as its pod tells. */
export function resourceFieldText(
  { resource, divisor = '1' }: ResourceFieldSelector,
  { resources = {} }: Container,
): string {
  const [list = '', name = ''] = split(resource)
  const amounts = list === 'limits' ? resources.limits : list === 'requests' ? resources.requests : undefined
  const amount = amounts?.[name]
  const units = amount === undefined ? 0 : inUnits(name, amount, divisor === '0' ? '1' : divisor)
  return units === 0 && (resource === 'limits.cpu' || resource === 'limits.memory') ? 'node allocatable' : String(units)
}

const split = (resource: string): string[] => [
  resource.slice(0, resource.indexOf('.')),
  resource.slice(resource.indexOf('.') + 1),
]

/** Rounded up, as the container will see it. */
const inUnits = (name: string, amount: string, divisor: string): number =>
  name === 'cpu'
    ? Math.ceil(quantityMilli(amount) / quantityMilli(divisor))
    : Math.ceil(quantityValue(amount) / quantityValue(divisor))
