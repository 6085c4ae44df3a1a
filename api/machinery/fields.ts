/** One condition of a field selector. */
export interface FieldRequirement {
  field: string
  operator: '=' | '!='
  value: string
}

/**
 * The conditions of a field selector: `spec.nodeName=a,status.phase!=Failed`. A backslash protects a comma, an equals
 * sign or itself. Throws an Error in upstream's words.
 */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const requirements: FieldRequirement[] = []
  for (const term of splitTerms(text)) {
    if (term === '') continue
    const match = term.match(/^((?:[^\\=!]|\\.|!(?!=))*)(==|!=|=)([\s\S]*)$/)
    if (!match) throw new Error(`invalid selector: '${text}'; can't understand '${term}'`)
    const [, field = '', operator, value = ''] = match
    requirements.push({ field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(value) })
  }
  return requirements
}

/** A field selector as a test on an object whose fields `read` gives. */
export function compileFieldSelector<T>(
  text: string,
  read: (object: T, field: string) => string,
): (object: T) => boolean {
  const requirements = parseFieldSelector(text)
  return (object) =>
    requirements.every(({ field, operator, value }) => (read(object, field) === value) === (operator === '='))
}

function splitTerms(text: string): string[] {
  const terms: string[] = []
  let term = ''
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string
    if (char === '\\') term += char + (text[++i] ?? '')
    else if (char === ',') {
      terms.push(term)
      term = ''
    } else term += char
  }
  return [...terms, term]
}

function unescapeValue(value: string): string {
  let plain = ''
  for (let i = 0; i < value.length; i++) {
    const char = value[i] as string
    if (char === '=' || char === ',') throw new Error(`invalid field selector: unescaped character in value: ${char}`)
    if (char !== '\\') {
      plain += char
      continue
    }
    const next = value[++i]
    if (next !== '\\' && next !== ',' && next !== '=') {
      throw new Error(`invalid field selector: invalid escape sequence: \\${next ?? ''}`)
    }
    plain += next
  }
  return plain
}
