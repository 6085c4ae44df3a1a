import { CliError } from '../../errors.ts'

/** What is wrong with a template, and where. */
export const broken = (text: string, at: number, why: string): CliError =>
  new CliError(`error parsing template: ${place(text, at)}: ${why}`)

/** What went wrong when a template met an object. */
export const failed = (text: string, at: number, why: string): CliError =>
  new CliError(`error executing template: ${place(text, at)}: ${why}`)

function place(text: string, at: number): string {
  const before = text.slice(0, at).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}
