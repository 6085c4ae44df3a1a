/**
 * An object's YAML as one reads and edits it: without who wrote which field, which is long, and with its status at the end,
 * which is not for editing.
 */
export function readable(yaml: string): string {
  const lines = withoutBlock(yaml.trimEnd().split('\n'), '  managedFields:').rest
  const { block, rest } = withoutBlock(lines, 'status:')
  return [...rest, ...block, ''].join('\n')
}

/** Cuts a key and all that belongs to it out of block YAML: what is further in, and the items of a list beside it. */
function withoutBlock(lines: string[], key: string): { block: string[]; rest: string[] } {
  const at = lines.findIndex((line) => line === key || line.startsWith(`${key} `))
  if (at < 0) return { block: [], rest: lines }
  const indent = key.length - key.trimStart().length
  let end = at + 1
  while (end < lines.length && belongs(lines[end] as string, indent)) end++
  return { block: lines.slice(at, end), rest: [...lines.slice(0, at), ...lines.slice(end)] }
}

function belongs(line: string, indent: number): boolean {
  const own = line.length - line.trimStart().length
  return line === '' || own > indent || (own === indent && line.startsWith('- ', indent))
}
