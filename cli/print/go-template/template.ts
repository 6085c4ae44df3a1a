import { evaluate } from './evaluate.ts'
import { parse } from './parser.ts'

/**
 * Go's text/template with the functions of kubectl: `{{range .items}}{{.metadata.name}}{{"\n"}}{{end}}`. What is missing
 * is shown as `<no value>`, or is a failure where it must not be missing.
 */
export function parseGoTemplate(text: string, { allowMissing = true } = {}): { print(object: unknown): string } {
  const template = parse(text)
  return { print: (object) => evaluate(template, object, { allowMissing }) }
}
