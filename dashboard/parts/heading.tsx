import type { ComponentChildren } from 'preact'

/** The head of a view: what it is, and what one can do there. */
export function Heading({
  title,
  sub,
  children,
}: {
  title: ComponentChildren
  sub?: ComponentChildren
  children?: ComponentChildren
}) {
  return (
    <header class="heading">
      <div>
        <h1>{title}</h1>
        {sub && <p class="muted">{sub}</p>}
      </div>
      {children && <div class="heading-tools">{children}</div>}
    </header>
  )
}

/** Narrows a view down to what holds the words typed. */
export function Filter({ value, onInput, label }: { value: string; onInput: (value: string) => void; label: string }) {
  return (
    <input
      type="search"
      class="filter"
      placeholder={label}
      aria-label={label}
      value={value}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  )
}

/** Chooses one of a few. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string
  value: T
  options: Readonly<Record<T, string>>
  onChange: (value: T) => void
}) {
  return (
    <fieldset class="segments">
      <legend class="unseen">{label}</legend>
      {(Object.entries(options) as [T, string][]).map(([option, text]) => (
        <label key={option} class={option === value ? 'chosen' : ''}>
          <input
            type="radio"
            name={label}
            value={option}
            checked={option === value}
            onChange={() => onChange(option)}
          />
          {text}
        </label>
      ))}
    </fieldset>
  )
}
