import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CliError } from '../errors.ts'
import type { ServedKind } from '../kinds.ts'
import type { NamedObject } from '../objects.ts'
import { toYaml } from '../print/yaml.ts'
import type { Session } from '../session.ts'
import { maskSecrets } from './mask.ts'

/** An object before and after; undefined where it is not there. */
export interface Pair {
  kind: ServedKind
  namespace: string | undefined
  name: string
  before: NamedObject | undefined
  after: NamedObject | undefined
}

interface ShowFlags {
  showManagedFields?: boolean
  showSecrets?: boolean
}

/** Shows what differs, by the program for it; resolves to 1 where something does. */
export function showDifferences(session: Session, pairs: readonly Pair[], flags: ShowFlags): number {
  const directories = ['LIVE-', 'MERGED-'].map((name) => mkdtempSync(join(tmpdir(), name))) as [string, string]
  try {
    for (const { kind, namespace, name, before, after } of pairs) {
      const file = [kind.group, kind.version, kind.kind, namespace, name].filter((part) => part).join('.')
      const { live, after: now } =
        flags.showSecrets || kind.kind !== 'Secret' ? { live: before, after } : maskSecrets(before, after)
      for (const [i, one] of [live, now].entries())
        if (one) writeFileSync(join(directories[i] as string, file), textOf(one, flags), { mode: 0o600 })
    }
    return runDiff(session, directories)
  } finally {
    for (const directory of directories) rmSync(directory, { recursive: true, force: true })
  }
}

function textOf(object: NamedObject, { showManagedFields }: ShowFlags): string {
  if (showManagedFields) return toYaml(object)
  const { managedFields: _, ...metadata } = object.metadata
  return toYaml({ ...object, metadata })
}

/** 0 where nothing differs, 1 where something does. */
function runDiff(session: Session, directories: [string, string]): number {
  const [program = 'diff', ...args] = session.io.env.KUBECTL_EXTERNAL_DIFF?.split(' ').filter((word) => word) ?? []
  const all = args.length > 0 || session.io.env.KUBECTL_EXTERNAL_DIFF ? args : ['-u', '-N']
  const { status, stdout, stderr, error } = spawnSync(program, [...all, ...directories], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  if (error)
    throw new CliError(`failed to run "${program}": ${error.message}. KUBECTL_EXTERNAL_DIFF names another program`)
  session.io.out(stdout)
  session.io.err(stderr)
  return status ?? 2
}
