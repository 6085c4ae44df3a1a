/** What differs from one run to the next, and what stands for it. The order matters: what is longer comes first. */
const changing: readonly (readonly [RegExp, string])[] = [
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours.
  [/\u001b\[[\d;?]*[A-Za-z]|\r/g, ''],
  // What npm says before it runs something.
  [/^> .*$/, ''],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?\b/g, 'TIME'],
  [/\b\d\d:\d\d:\d\d(\.\d+)?\b/g, 'TIME'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, 'UID'],
  [/\b\d{1,3}(\.\d{1,3}){3}(:\d+)?(\/\d+)?\b/g, 'ADDRESS'],
  [/(login=)[\w-]+/g, '$1SECRET'],
  // Hashes of templates and random names are made of letters that make no words.
  [/-[bcdf-hj-np-tvwxz2-9]{8,10}-[bcdf-hj-np-tvwxz2-9]{5}\b/g, '-HASH-ID'],
  [/-[bcdf-hj-np-tvwxz2-9]{8,10}\b/g, '-HASH'],
  [/-[bcdf-hj-np-tvwxz2-9]{5}\b/g, '-ID'],
  [/\b(?=[0-9a-f]*\d)[0-9a-f]{10,}\b/g, 'DIGEST'],
  [/\b\d+(\.\d+)? ?([KMGT]i?B?|kB|B|Ki|Mi|Gi|%)(?!\w)/g, 'SIZE'],
  [/\b(\d+(\.\d+)? ?(ms|s|m|h|d)){1,2}\b/g, 'WHILE'],
  [/\b\d{2,}(\.\d+)?\b/g, 'N'],
  [/[ \t]+/g, ' '],
  [/^ | $/g, ''],
]

const normal = (line: string): string => changing.reduce((text, [what, by]) => text.replace(what, by), line)

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

const linesOf = (text: string): string[] => text.split('\n').map(normal).filter(Boolean)

/**
 * Whether a program printed what a page shows, but for ages, ids, addresses, times and sizes. An ellipsis in a line stands for
 * anything, a line of its own for any lines. Returns the first line shown that was not printed; undefined: all were.
 */
export function firstMissing(shown: readonly string[], printed: string): string | undefined {
  const said = linesOf(printed)
  let at = 0
  let mayJump = false
  for (const line of linesOf(shown.join('\n'))) {
    if (line === '…') {
      mayJump = true
      continue
    }
    const wanted = new RegExp(`^${line.split('…').map(escaped).join('.*')}$`)
    const found = said.findIndex((candidate, i) => i >= at && wanted.test(candidate))
    if (found < 0 || (found > at && !mayJump)) return line
    at = found + 1
    mayJump = false
  }
  return at < said.length && !mayJump ? `nothing after it, but there was: ${said[at]}` : undefined
}
