import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Command } from 'commander'
import { parseYaml } from '../api/machinery/json.ts'
import { pathOf } from '../client/client.ts'
import { dryRunOption, dryRunQuery, dryRunSuffix, parseDryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import { addFileFlags, type FileFlags } from './flags.ts'
import type { NamedObject } from './objects.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { objectName, parseOutput, printObject } from './print/printer.ts'
import { subjectsGiven } from './subjects.ts'
import type { Verb } from './verb.ts'

interface PatchFlags extends OutputFlags, FileFlags {
  patch?: string
  patchFile?: string
  type: string
  subresource?: string
  dryRun?: string
  fieldManager?: string
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
    void addOutputFlags(addFileFlags(command))
      .option('-p, --patch <patch>', 'what changes, as JSON or YAML')
      .option('--patch-file <file>', 'a file with that')
      .option('--type <type>', 'json, merge or strategic', 'strategic')
      .option('--subresource <name>', 'of this subresource: status, scale')
      .option('--field-manager <name>', 'who owns the fields')
      .addOption(dryRunOption()),
  async run(session, args, flags) {
    if (Boolean(flags.patch) === Boolean(flags.patchFile))
      throw new CliError(
        flags.patch
          ? 'cannot specify --patch and --patch-file together'
          : 'must specify --patch or --patch-file containing the contents of the patch',
      )
    const type = contentTypes[flags.type]
    if (!type) throw new CliError(`--type must be one of [json merge strategic], not ${JSON.stringify(flags.type)}`)
    const dryRun = parseDryRun(flags.dryRun)
    const output = await parseOutput(flags)
    const text = flags.patch ?? readFileSync(flags.patchFile ?? '', 'utf8')
    const body = JSON.stringify(bodyOf(text))
    for (const { kind, object } of await subjectsGiven(session, args, flags)) {
      const { name, namespace } = object.metadata
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
      session.io.out(
        output.type === 'table'
          ? `${objectName(changed)} patched${same ? ' (no change)' : ''}${dryRunSuffix(dryRun)}\n`
          : printObject(output, changed),
      )
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
