import type { Command } from 'commander'
import { humanDuration } from '../api/machinery/print.ts'
import { CliError } from './errors.ts'
import { missingHint } from './mistakes/in-names.ts'
import { namespaceFor } from './objects.ts'
import { changeText } from './past/change-text.ts'
import { isStatusOnly, type ObjectVersion, versionsOf } from './past/versions.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { parseOutput } from './print/printer.ts'
import { alignRows } from './print/table.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'
import type { Verb } from './verb.ts'

interface HistoryFlags extends OutputFlags {
  limit: string
  status: boolean
  full?: boolean
  showSecrets?: boolean
}

export const history: Verb<HistoryFlags> = {
  usage: 'TYPE/NAME',
  examples: [
    'gantry history deployment/web',
    'gantry history cm/settings --full',
    'gantry history node/n1 --no-status',
  ],
  define: (command: Command) =>
    void addOutputFlags(command, 'yaml or json: the versions as the server tells them')
      .option('--limit <n>', 'how many versions at most', '20')
      .option('--no-status', 'without those that changed nothing but the status')
      .option('--full', 'every field that changed, whole')
      .option('--show-secrets', 'the values of secrets as they are'),
  async run(session, args, flags) {
    const targets = parseTargets(args, await session.kinds())
    if (targets.type !== 'named') throw new CliError('say of which object: gantry history TYPE/NAME')
    const limit = Number(flags.limit)
    if (!Number.isInteger(limit) || limit < 1) throw new CliError(`--limit: ${flags.limit} is no number of versions`)
    const output = await parseOutput(flags)
    for (const { kind, name } of targets.objects) {
      const versions: ObjectVersion[] = []
      let more = false
      const all = versionsOf(session, kind, name, namespaceFor(session, kind), output.type === 'whole')
      for await (const version of all) {
        if (!flags.status && isStatusOnly(version)) continue
        more = versions.length === limit
        if (more) break
        versions.push(version)
      }
      if (versions.length === 0) {
        session.io.err(`error: nothing is remembered of ${kind.plural}/${name}\n`)
        session.io.err(await missingHint(session, kind, name))
        return 1
      }
      if (output.type === 'whole')
        session.io.out(output.print({ kind: 'History', apiVersion: 'gantry.dev/v1', items: versions }))
      else session.io.out(table(session, versions, { ...flags, hide: kind.kind === 'Secret' && !flags.showSecrets }))
      if (more && output.type !== 'whole') session.io.err(`There is more: --limit=${limit * 5}\n`)
    }
    return 0
  },
}

function table(
  session: Session,
  versions: readonly ObjectVersion[],
  { full = false, hide }: { full?: boolean; hide: boolean },
): string {
  const now = session.clock.now()
  const age = (time: string | undefined) => (time ? humanDuration(now - Date.parse(time)) : '<unknown>')
  const rows = versions.flatMap((version) => {
    const { revision, time, user = '<unknown>', manager = '', subresource, operation } = version
    const what = changesOf(version, { full, hide })
    const [first = '', ...rest] = what
    const with_ = subresource ? `${manager} (${subresource})` : manager
    return [
      [
        revision,
        age(time),
        user,
        with_,
        operation === 'updated' && first ? first : [operation, first].filter((part) => part).join(' '),
      ],
      ...rest.map((line) => ['', '', '', '', line]),
    ]
  })
  return alignRows([['REVISION', 'AGE', 'USER', 'MANAGER', 'CHANGE'], ...rows])
}

const mostLines = 4

function changesOf({ changes }: ObjectVersion, { full, hide }: { full: boolean; hide: boolean }): string[] {
  const lines = changes.map((change) => changeText(change, { full, hide }))
  if (full || lines.length <= mostLines) return lines
  return [...lines.slice(0, mostLines - 1), `and ${lines.length - mostLines + 1} more (--full shows them)`]
}
