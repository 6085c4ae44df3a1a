import { parseYaml } from '../api/machinery/json.ts'
import type { AnyObject } from '../api/machinery/object.ts'
import { CliError } from './errors.ts'

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

/** RFC 7396: objects are merged, null takes away, all else replaces. */
export function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}
