import { CliError } from '../errors.ts'

/** A path here, or in a container. */
export type Place =
  | { type: 'local'; path: string }
  | { type: 'remote'; namespace: string | undefined; pod: string; path: string }

/** Reads `path`, `pod:path`, `namespace/pod:path`. A path that begins with `/` or `.` is one of here. */
export function parseSpec(text: string): Place {
  const at = text.indexOf(':')
  if (at < 0 || /^[./]/.test(text)) return { type: 'local', path: text }
  const [where, path] = [text.slice(0, at), text.slice(at + 1)]
  const parts = where.split('/')
  const [pod = '', namespace] = parts.reverse()
  if (parts.length > 2 || pod === '' || namespace === '')
    throw new CliError(`filespec must match the canonical format: [[namespace/]pod:]file/path, not ${text}`)
  if (path === '') throw new CliError(`filepath can not be empty: write ${where}:PATH`)
  return { type: 'remote', namespace, pod, path }
}
