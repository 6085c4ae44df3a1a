import type { Command } from 'commander'
import type { AnyObject } from '../api/machinery/object.ts'
import { type DryRun, dryRunOption, dryRunSuffix, parseDryRun } from './dry-run.ts'
import { CliError } from './errors.ts'
import { addOutputFlags, type OutputFlags } from './print/output-flags.ts'
import { type Output, objectName, printObject } from './print/printer.ts'

/** How a verb that changes objects is told where: there, tried there, or only in what files say. */
export interface ChangeFlags extends OutputFlags {
  local?: boolean
  dryRun?: string
  fieldManager?: string
}

/** Adds them, with those that say what is shown. */
export const addChangeFlags = (command: Command): Command =>
  addOutputFlags(command)
    .option('--local', 'with -f: change what the files say, and show it; no server is asked')
    .option('--field-manager <name>', 'who owns the fields')
    .addOption(dryRunOption())

/** Throws for what cannot be both. */
export function parseWhere({ local, dryRun }: ChangeFlags): DryRun {
  const parsed = parseDryRun(dryRun)
  if (local && parsed === 'server')
    throw new CliError('cannot specify --local and --dry-run=server - did you mean --dry-run=client?')
  return parsed
}

/** What is told of an object that was changed: that it was, or the object itself. */
export const changeText = (output: Output, object: AnyObject, done: string, dryRun: DryRun): string =>
  output.type === 'table' ? `${objectName(object)} ${done}${dryRunSuffix(dryRun)}\n` : printObject(output, object)
