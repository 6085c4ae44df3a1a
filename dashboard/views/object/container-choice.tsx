import type { Pod } from '../../../api/generated/types.ts'
import type { Stored } from '../../../api/machinery/object.ts'

interface Props {
  pod: Stored<Pod>
  value: string
  onChange: (name: string) => void
}

/** Chooses one of a pod's containers. */
export function ContainerChoice({ pod: { spec }, value, onChange }: Props) {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])]
  return (
    <label class="choice inline">
      Container
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {all.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
