/** Indexes of a job as its status and its success policy write them: `1,3-5,7`. */

/** How many indexes the text names. Throws an Error unless they rise and stay below `completions`. */
export function countIndexes(text: string, completions: number): number {
  if (text === '') return 0
  let last: number | undefined
  let count = 0
  for (const part of text.split(',')) {
    const [first, end] = parseInterval(part, completions)
    if (last !== undefined && last >= first) {
      throw new Error(`non-increasing order, previous: ${last}, current: ${first}`)
    }
    count += end - first + 1
    last = end
  }
  return count
}

/** The first index that both texts name; parts that cannot be read are passed over. */
export function firstCommonIndex(a: string, b: string, completions: number): number | undefined {
  const left = intervals(a, completions)
  const right = intervals(b, completions)
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    const [x, y] = left[i] as Interval
    const [from, to] = right[j] as Interval
    if (x <= to && from <= y) return Math.max(x, from)
    if (x <= from) i++
    else j++
  }
  return undefined
}

type Interval = [first: number, last: number]

function intervals(text: string, completions: number): Interval[] {
  if (text === '') return []
  return text.split(',').flatMap((part) => {
    try {
      return [parseInterval(part, completions)]
    } catch {
      return []
    }
  })
}

function parseInterval(text: string, completions: number): Interval {
  const ends = text.split('-')
  if (ends.length > 2) {
    throw new Error(
      `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`,
    )
  }
  const first = parseIndex(ends[0] as string, completions)
  if (ends.length === 1) return [first, first]
  const last = parseIndex(ends[1] as string, completions)
  if (first >= last) throw new Error(`non-increasing order, previous: ${first}, current: ${last}`)
  return [first, last]
}

function parseIndex(text: string, completions: number): number {
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`cannot convert string to integer for index: ${JSON.stringify(text)}`)
  const index = Number(text)
  if (index >= completions) throw new Error(`too large index: ${JSON.stringify(text)}`)
  return index
}
