/**
 * The words of a description: lines whose cells end at tabs, which are aligned when all lines are there. Shapes and
 * spacing are those of kubectl, which scripts and eyes are used to.
 */
import { humanDuration } from '../../api/machinery/print.ts'

export type Lines = readonly string[]

/** What an object may hold of labels, annotations, parameters. */
type Texts = Readonly<Record<string, string>>

/** `Name:   web`. */
export const field = (label: string, value: unknown): string => `${label}:\t${value ?? ''}`

/** The same, or nothing where there is no value. */
export const fieldIf = (label: string, value: unknown): string[] =>
  value === undefined || value === null || value === '' ? [] : [field(label, value)]

/** Lines two spaces further in, for each level. */
export const indent = (lines: Lines, levels = 1): string[] => lines.map((line) => '  '.repeat(levels) + line)

/** A title, and lines below it; nothing where there are none. */
export const section = (title: string, lines: Lines, levels = 1): string[] =>
  lines.length === 0 ? [] : [`${title}:`, ...indent(lines, levels)]

/** A label with its values below each other, or `<none>`. */
export const listed = (label: string, values: readonly string[]): string[] =>
  values.length === 0
    ? [field(label, '<none>')]
    : values.map((value, i) => (i === 0 ? field(label, value) : `\t${value}`))

/** A table: the header, a rule below each of its words, and the rows. */
export const tabled = (header: readonly string[], rows: readonly (readonly unknown[])[]): string[] =>
  [header, header.map((word) => '-'.repeat(word.length)), ...rows].map((cells) => cells.join('\t'))

/** `a=1` below `b=2`, in the order of the keys. */
export const labelsField = (label: string, labels: Texts | undefined): string[] =>
  listed(
    label,
    sortedEntries(labels).map(([key, value]) => `${key}=${value}`),
  )

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
const annotationWidth = 140

/** Annotations below each other; long ones and those of several lines begin on a line of their own. */
export function annotationsField(label: string, annotations: Texts | undefined): string[] {
  const shown = sortedEntries(annotations).filter(([key]) => key !== lastApplied)
  return listed(
    label,
    shown.flatMap(([key, whole]) => {
      const value = whole.replace(/\n$/, '')
      if (value.length + key.length + 2 <= annotationWidth && !value.includes('\n')) return [`${key}: ${value}`]
      return [`${key}:`, ...value.split('\n').map((line) => `  ${shortened(line, annotationWidth - 2)}`)]
    }),
  )
}

const shortened = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width)}...` : text)

/** `a=1,b=2` on one line, or `<none>`. */
export const textsOf = (texts: Texts | undefined): string =>
  sortedEntries(texts)
    .map(([key, value]) => `${key}=${value}`)
    .join(',') || '<none>'

/** The entries of a map in the order of its keys. */
export const sortedEntries = <T>(map: Readonly<Record<string, T>> | undefined): [string, T][] =>
  Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))

/** `[a b]`, as lists look in kubectl where nobody thought about it. */
export const bracketed = (values: readonly unknown[] | undefined): string => `[${(values ?? []).join(' ')}]`

/** `True`, `False`, or `<unset>`. */
export const boolText = (value: boolean | undefined): string =>
  value === undefined ? '<unset>' : value ? 'True' : 'False'

/** `<unset>` for what is not there. */
export const orUnset = (value: unknown): string => (value === undefined || value === null ? '<unset>' : String(value))

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const twoDigits = (value: number): string => String(value).padStart(2, '0')

/** A time of the API as `Mon, 02 Jan 2006 15:04:05 +0000`, in this machine's zone. */
export function longTime(timestamp: string | undefined): string {
  if (!timestamp) return 'Mon, 01 Jan 0001 00:00:00 +0000'
  const at = new Date(timestamp)
  const offset = -at.getTimezoneOffset()
  const zone = `${offset < 0 ? '-' : '+'}${twoDigits(Math.trunc(Math.abs(offset) / 60))}${twoDigits(Math.abs(offset) % 60)}`
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':')
  return `${days[at.getDay()]}, ${twoDigits(at.getDate())} ${months[at.getMonth()]} ${at.getFullYear()} ${clock} ${zone}`
}

/** `Terminating (lasts 5m)` for an object that is being deleted, else its phase. */
export const phaseOrTerminating = (
  { metadata }: { metadata: { deletionTimestamp?: string } },
  phase: string | undefined,
  nowMs: number,
): string =>
  metadata.deletionTimestamp
    ? `Terminating (lasts ${humanDuration(nowMs - Date.parse(metadata.deletionTimestamp))})`
    : (phase ?? '')

interface Named {
  metadata: { name: string; namespace?: string; labels?: Texts; annotations?: Texts }
}

/** Name, namespace if it has one to show, labels and annotations: how most descriptions begin. */
export const identity = (object: Named, { namespace = true } = {}): string[] => [
  field('Name', object.metadata.name),
  ...(namespace ? [field('Namespace', object.metadata.namespace)] : []),
  ...labelsField('Labels', object.metadata.labels),
  ...annotationsField('Annotations', object.metadata.annotations),
]

/** Conditions as workloads show them. */
export const conditionsTable = (
  conditions: readonly { type: string; status: string; reason?: string }[] | undefined,
): string[] =>
  conditions?.length
    ? section(
        'Conditions',
        tabled(
          ['Type', 'Status', 'Reason'],
          conditions.map(({ type, status, reason }) => [`${type} `, status, reason ?? '']),
        ),
      )
    : []
