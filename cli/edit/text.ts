import { toYaml } from '../print/yaml.ts'

const introduction = [
  "Please edit the object below. Lines beginning with a '#' will be ignored,",
  'and an empty file will abort the edit. If an error occurs while saving this file will be',
  'reopened with the relevant failures.',
  '',
]

const withoutComments = (text: string) => text.replace(/^(#.*\n)+/, '')

/** What the editor is given: an object, or a text edited before with what was wrong in it. */
export function editorText(content: object | string, problems: readonly string[] = []): string {
  const body = typeof content === 'string' ? withoutComments(content) : toYaml(content)
  const lines =
    problems.length > 0 ? [...introduction, ...problems.flatMap((one) => one.split('\n')), ''] : introduction
  return `${lines.map((line) => `# ${line}`.trimEnd()).join('\n')}\n${body}`
}

/** Whether there is anything but comments. */
export const hasContent = (text: string): boolean => /^[^#\s]/m.test(text)
