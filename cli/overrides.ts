import { parseYaml } from '../api/machinery/json.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import { CliError } from './errors.ts'
import { merged } from './merge-patch.ts'

type Made = AnyObject & { apiVersion: string; kind: string }

interface OverrideFlags {
  overrides?: string
  overrideType?: string
}

/** What a generator has made, changed by `--overrides`. Throws for what is no JSON. */
export async function overridden(made: Made, { overrides, overrideType = 'merge' }: OverrideFlags): Promise<Made> {
  if (!overrides) return made
  const patch = parsed(overrides)
  if (overrideType === 'merge') return merged(made, patch) as Made
  if (overrideType === 'json') {
    const { applyPatch, deepClone } = await import('fast-json-patch')
    return applyPatch(deepClone(made), patch as Parameters<typeof applyPatch>[1]).newDocument as Made
  }
  throw new CliError(`--override-type ${overrideType} is not supported here: write merge or json`)
}

function parsed(text: string): unknown {
  try {
    return parseYaml(text).value
  } catch (error) {
    throw new CliError(`--overrides is no valid JSON: ${(error as Error).message}`)
  }
}
