/**
 * What changed between two values, line by line of their JSON, with three lines around each change (a unified diff).
 * For messages: an object of a few hundred lines at most.
 */
export function objectDiff(before: unknown, after: unknown): string {
  const old = lines(before)
  const now = lines(after)
  const marked = mark(old, now)
  let text = ''
  for (let at = 0; at < marked.length; ) {
    const first = marked.findIndex(({ sign }, i) => i >= at && sign !== ' ')
    if (first < 0) break
    const start = Math.max(at, first - context)
    let end = first + 1
    for (let i = end; i < marked.length && i < end + 2 * context; i++) if (marked[i]?.sign !== ' ') end = i + 1
    end = Math.min(marked.length, end + context)
    text += hunk(marked.slice(start, end))
    at = end
  }
  return text
}

interface Line {
  sign: ' ' | '-' | '+'
  text: string
  /** Line numbers in either text, from 1. */
  old: number
  now: number
}

const context = 3

function lines(value: unknown): string[] {
  return (JSON.stringify(sorted(value), undefined, 2) ?? 'null').split('\n')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, part]) => [name, sorted(part)]))
}

/** Longest common subsequence, walked from the front: removals come before additions. */
function mark(old: readonly string[], now: readonly string[]): Line[] {
  const width = now.length + 1
  const common = new Uint32Array((old.length + 1) * width)
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      const down = common[(i + 1) * width + j] ?? 0
      const right = common[i * width + j + 1] ?? 0
      common[i * width + j] = old[i] === now[j] ? (common[(i + 1) * width + j + 1] ?? 0) + 1 : Math.max(down, right)
    }
  }
  const marked: Line[] = []
  let i = 0
  let j = 0
  while (i < old.length || j < now.length) {
    const line = { old: i + 1, now: j + 1 }
    if (i < old.length && j < now.length && old[i] === now[j]) {
      marked.push({ ...line, sign: ' ', text: old[i++] as string })
      j++
    } else if (i < old.length && (common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0)) {
      marked.push({ ...line, sign: '-', text: old[i++] as string })
    } else if (j < now.length) marked.push({ ...line, sign: '+', text: now[j++] as string })
    else marked.push({ ...line, sign: '-', text: old[i++] as string })
  }
  return marked
}

function hunk(marked: readonly Line[]): string {
  const first = marked[0] as Line
  const oldLength = marked.filter(({ sign }) => sign !== '+').length
  const newLength = marked.filter(({ sign }) => sign !== '-').length
  const range = (start: number, length: number) =>
    length === 1 ? `${start}` : `${length === 0 ? start - 1 : start},${length}`
  const head = `@@ -${range(first.old, oldLength)} +${range(first.now, newLength)} @@\n`
  return head + marked.map(({ sign, text }) => `${sign}${text}\n`).join('')
}
