import type { FieldChange } from '../../api/gantry/object-changes.ts'

const shortWidth = 40

/** `spec.replicas: 3 -> 5`, in a line; long values are cut unless `full`, and those of a secret are hidden. */
export function changeText({ path, from, to }: FieldChange, { full = false, hide = false } = {}): string {
  const isHidden = hide && /^(data|stringData)\b|last-applied-configuration/.test(path)
  const text = (value: unknown) => (isHidden ? '***' : valueText(value, full ? Number.POSITIVE_INFINITY : shortWidth))
  if (from === undefined) return `${path}: + ${text(to)}`
  if (to === undefined) return `${path}: - ${text(from)}`
  return `${path}: ${text(from)} -> ${text(to)}`
}

function valueText(value: unknown, width: number): string {
  const text = typeof value === 'string' && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value)
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}
