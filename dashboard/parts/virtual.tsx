import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

const rowsBeyond = 5

interface Props {
  count: number
  /** Of every row, in pixels. */
  rowHeight: number
  row: (index: number) => ComponentChildren
  /** What assistive technology calls it. */
  label: string
  role?: 'rowgroup' | 'list' | 'log'
  class?: string
  /** Keep to the end as more comes, until the reader scrolls up. */
  follow?: boolean
  /** The row to bring into sight when it changes. */
  reveal?: number | undefined
}

/** A list of any length of which only what is in sight is in the document. */
export function Virtual({
  count,
  rowHeight,
  row,
  label,
  role = 'list',
  class: name = '',
  follow = false,
  reveal,
}: Props) {
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 600 })
  const atEnd = useRef(true)
  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight })
    const resized = new ResizeObserver(measure)
    resized.observe(element)
    measure()
    return () => resized.disconnect()
  }, [])
  useLayoutEffect(() => {
    const element = box.current
    if (follow && atEnd.current && element) element.scrollTop = element.scrollHeight
  }, [follow, count])
  useEffect(() => {
    const element = box.current
    if (reveal === undefined || !element) return
    const top = reveal * rowHeight
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = top + rowHeight - element.clientHeight
  }, [reveal, rowHeight])
  const onScroll = () => {
    const { scrollTop, clientHeight, scrollHeight } = box.current as HTMLDivElement
    atEnd.current = scrollTop + clientHeight >= scrollHeight - rowHeight
    setView({ top: scrollTop, height: clientHeight })
  }
  const first = Math.max(0, Math.floor(view.top / rowHeight) - rowsBeyond)
  const last = Math.min(count, Math.ceil((view.top + view.height) / rowHeight) + rowsBeyond)
  const rows = []
  for (let i = first; i < last; i++) rows.push(row(i))
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: each of the roles takes a label
    <div ref={box} class={`virtual ${name}`} role={role} aria-label={label} tabIndex={0} onScroll={onScroll}>
      <div class="virtual-space" style={{ height: `${count * rowHeight}px` }}>
        <div class="virtual-rows" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {rows}
        </div>
      </div>
    </div>
  )
}
