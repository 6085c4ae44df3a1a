import { CliError } from './errors.ts'

const known: Record<string, string> = {
  strict: 'Strict',
  true: 'Strict',
  warn: 'Warn',
  ignore: 'Ignore',
  false: 'Ignore',
}

/** What the server does with fields it does not know, by the flag `--validate`. */
export function validationOf(text = 'strict'): string {
  const found = known[text.toLowerCase()]
  if (!found) throw new CliError(`invalid - validate option "${text}"; choose strict, warn or ignore`)
  return found
}
