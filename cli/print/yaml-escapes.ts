const named: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
}

/** Whether a letter may stand in a text without quotes; those beyond the first 65,536 may not, which is how kubectl has it. */
export const isPrintable = (letter: string): boolean =>
  /^[\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]$/u.test(letter)

/** A letter in double quotes. */
export function escaped(letter: string): string {
  if (isPrintable(letter) && !'"\\\n\u2028\u2029\u0085'.includes(letter)) return letter
  const known = named[letter]
  if (known) return known
  const code = letter.codePointAt(0) ?? 0
  const hex = code.toString(16).toUpperCase()
  return code <= 0xff
    ? `\\x${hex.padStart(2, '0')}`
    : code <= 0xffff
      ? `\\u${hex.padStart(4, '0')}`
      : `\\U${hex.padStart(8, '0')}`
}
