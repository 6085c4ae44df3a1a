import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Command } from 'commander'
import { parseYaml } from '../api/machinery/json.ts'
import { pathOf } from '../client/client.ts'
import { addChangeFlags, type ChangeFlags, changeText, parseWhere } from './changing.ts'
import { dryRunQuery } from './dry-run.ts'
import { CliError } from './errors.ts'
import { addFileFlags, type FileFlags } from './flags.ts'
import type { NamedObject } from './objects.ts'
import { patchedHere } from './patched-here.ts'
import { parseOutput } from './print/printer.ts'
import { subjectsGiven } from './subjects.ts'
import type { Verb } from './verb.ts'

interface PatchFlags extends ChangeFlags, FileFlags {
  patch?: string
  patchFile?: string
  type: string
  subresource?: string
}

const contentTypes: Record<string, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
}

export const patch: Verb<PatchFlags> = {
  usage: '(TYPE NAME | TYPE/NAME | -f FILE) -p PATCH',
  examples: [
    `gantry patch deployment web -p '{"spec":{"replicas":2}}'`,
    `gantry patch pod web-1 --type=json -p '[{"op":"remove","path":"/metadata/labels/tier"}]'`,
  ],
  define: (command: Command) =>
    void addChangeFlags(addFileFlags(command))
      .option('-p, --patch <patch>', 'what changes, as JSON or YAML')
      .option('--patch-file <file>', 'a file with that')
      .option('--type <type>', 'json, merge or strategic', 'strategic')
      .option('--subresource <name>', 'of this subresource: status, scale'),
  async run(session, args, flags) {
    if (Boolean(flags.patch) === Boolean(flags.patchFile))
      throw new CliError(
        flags.patch
          ? 'cannot specify --patch and --patch-file together'
          : 'must specify --patch or --patch-file containing the contents of the patch',
      )
    const type = contentTypes[flags.type]
    if (!type) throw new CliError(`--type must be one of [json merge strategic], not ${JSON.stringify(flags.type)}`)
    const dryRun = parseWhere(flags)
    const output = await parseOutput(flags)
    const text = flags.patch ?? readFileSync(flags.patchFile ?? '', 'utf8')
    const asked = bodyOf(text)
    const body = JSON.stringify(asked)
    for (const subject of await subjectsGiven(session, args, flags)) {
      const { kind, object } = subject
      const { name, namespace } = object.metadata
      if (flags.local) {
        const changed = (await patchedHere(object, asked, flags.type)) as NamedObject
        const same = isDeepStrictEqual(changed, object)
        session.io.out(changeText(output, changed, same ? 'patched (no change)' : 'patched', dryRun))
        continue
      }
      const changed = await session.json<NamedObject>('PATCH', pathOf(kind, namespace, name, flags.subresource), {
        query: {
          fieldManager: flags.fieldManager ?? 'kubectl-patch',
          // Only the server knows what comes of it: a patch that is only shown is tried there.
          ...dryRunQuery(dryRun === 'client' ? 'server' : dryRun),
        },
        headers: { 'content-type': type },
        body,
      })
      const same = isDeepStrictEqual(changed, object)
      session.io.out(changeText(output, changed, same ? 'patched (no change)' : 'patched', dryRun))
    }
    return 0
  },
}

function bodyOf(text: string): unknown {
  try {
    return parseYaml(text).value
  } catch (error) {
    throw new CliError(`unable to parse ${JSON.stringify(text)}: ${(error as Error).message}`)
  }
}
