import { useId, useState } from 'preact/hooks'
import { moment } from '../moment.ts'
import type { Series } from '../server/usage.ts'

export interface Line {
  label: string
  values: Series
  class?: 'second'
}

interface Props {
  title: string
  times: readonly number[]
  lines: readonly Line[]
  text: (value: number) => string
  /** Why there is nothing, where there is nothing. */
  without?: string | undefined
}

const width = 320
const height = 72

/** A small chart over time. The pointer, or the arrow keys, read values off it. */
export function Chart({ title, times, lines, text, without }: Props) {
  const [pointed, setAt] = useState<number>()
  const atMs = moment.use()
  const then = atMs === undefined ? -1 : times.findLastIndex((time) => time <= atMs)
  /** What is pointed at, or else the moment that is shown. */
  const at = pointed ?? (then < 0 ? undefined : then)
  const id = useId()
  const max = Math.max(1e-9, ...lines.flatMap(({ values }) => values.filter((value) => value !== null))) * 1.08
  const from = times[0] ?? 0
  const span = Math.max(1, (times.at(-1) ?? 0) - from)
  const x = (i: number) => (((times[i] as number) - from) / span) * width
  const y = (value: number) => height - (value / max) * height
  const shown = Math.min(at ?? times.length - 1, times.length - 1)
  const known = times.length > 1 && lines.some(({ values }) => values.some((value) => value !== null))
  const point = (event: PointerEvent & { currentTarget: Element }) => {
    const { left, width: wide } = event.currentTarget.getBoundingClientRect()
    const time = from + ((event.clientX - left) / wide) * span
    setAt(nearest(times, time))
  }
  const step = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0
    if (by === 0) return
    event.preventDefault()
    setAt(Math.max(0, Math.min(times.length - 1, shown + by)))
  }
  return (
    <figure class="chart">
      <figcaption>
        <span id={id}>{title}</span>
        <span class="chart-values" aria-live={pointed === undefined ? 'off' : 'polite'}>
          {known &&
            lines.map(({ label, values, class: name = '' }) => {
              const value = values[shown]
              return (
                <span key={label} class={`chart-value ${name}`}>
                  {lines.length > 1 && <span class="muted">{label} </span>}
                  <strong>{value === null || value === undefined ? '–' : text(value)}</strong>
                </span>
              )
            })}
        </span>
      </figcaption>
      {known ? (
        <div
          class="chart-field"
          role="img"
          aria-labelledby={id}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys read values off it
          tabIndex={0}
          onPointerMove={point}
          onPointerLeave={() => setAt(undefined)}
          onKeyDown={step}
          onBlur={() => setAt(undefined)}
        >
          <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
            <line class="chart-base" x1="0" x2={width} y1={height} y2={height} />
            {lines.map(({ label, values, class: name = '' }, i) => (
              <g key={label} class={`chart-line ${name}`}>
                {i === 0 && <path class="chart-area" d={areaOf(values, x, y)} />}
                <path class="chart-stroke" d={pathOf(values, x, y)} />
              </g>
            ))}
            {at !== undefined && <line class="chart-cursor" x1={x(shown)} x2={x(shown)} y1="0" y2={height} />}
          </svg>
          <div class="chart-times muted">
            <span>{clock(from)}</span>
            <span>{clock(times[shown] as number)}</span>
          </div>
        </div>
      ) : (
        <p class="chart-empty muted">{without ?? 'Nothing measured yet; the first samples come within a minute.'}</p>
      )}
    </figure>
  )
}

const clock = (ms: number): string => new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })

function nearest(times: readonly number[], time: number): number {
  let best = 0
  for (const [i, each] of times.entries()) {
    if (Math.abs(each - time) < Math.abs((times[best] as number) - time)) best = i
  }
  return best
}

type Place = (value: number) => number

/** A line with a gap where nothing is known. */
function pathOf(values: Series, x: Place, y: Place): string {
  let path = ''
  let drawing = false
  for (const [i, value] of values.entries()) {
    if (value === null) {
      drawing = false
      continue
    }
    path += `${drawing ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`
    drawing = true
  }
  return path
}

function areaOf(values: Series, x: Place, y: Place): string {
  const known = values.flatMap((value, i) => (value === null ? [] : [i]))
  const [first] = known
  const last = known.at(-1)
  if (first === undefined || last === undefined) return ''
  const filled = values.map((value) => value ?? 0)
  return `M${x(first).toFixed(1)} ${height}${pathOf(filled.slice(0, last + 1), x, y).replace(/^M/, 'L')}L${x(last).toFixed(1)} ${height}Z`
}
