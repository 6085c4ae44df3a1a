import { parseYaml } from '../api/machinery/json.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import { CliError } from './errors.ts'
import { patchedHere } from './patched-here.ts'

type Made = AnyObject & { apiVersion: string; kind: string }

interface OverrideFlags {
  overrides?: string
  overrideType?: string
}

/** What a generator has made, changed by `--overrides`. Throws for what is no JSON. */
export async function overridden(made: Made, { overrides, overrideType = 'merge' }: OverrideFlags): Promise<Made> {
  if (!overrides) return made
  if (!['merge', 'json', 'strategic'].includes(overrideType))
    throw new CliError(`--override-type must be one of [merge json strategic], not ${JSON.stringify(overrideType)}`)
  return (await patchedHere(made, parsed(overrides), overrideType)) as Made
}

function parsed(text: string): unknown {
  try {
    return parseYaml(text).value
  } catch (error) {
    throw new CliError(`--overrides is no valid JSON: ${(error as Error).message}`)
  }
}
