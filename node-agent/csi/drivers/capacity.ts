import { statfs } from 'node:fs/promises'
import { CsiError } from '../errors.ts'
import type { CapacityRange } from '../messages.ts'

const defaultBytes = 1 << 30
/** Sizes are whole pages, as file systems like them. */
const pageBytes = 4096

/** The size a volume gets for what was asked: the least that is enough. Throws where no size would do. */
export function sizeFor(range: CapacityRange | null): number {
  const required = Number(range?.requiredBytes ?? 0)
  const limit = Number(range?.limitBytes ?? 0)
  if (required < 0 || limit < 0) throw new CsiError('INVALID_ARGUMENT', 'a size cannot be negative')
  const wanted = required > 0 ? required : limit > 0 ? Math.min(limit, defaultBytes) : defaultBytes
  const rounded = Math.ceil(wanted / pageBytes) * pageBytes
  const bytes = limit > 0 && rounded > limit && required === 0 ? Math.floor(limit / pageBytes) * pageBytes : rounded
  if (bytes === 0 || (limit > 0 && bytes > limit)) {
    throw new CsiError('OUT_OF_RANGE', `no whole number of ${pageBytes} bytes lies between ${required} and ${limit}`)
  }
  return bytes
}

/** Whether a volume of this size is one that was asked for. */
export function fits(bytes: number, range: CapacityRange | null): boolean {
  const limit = Number(range?.limitBytes ?? 0)
  return bytes >= Number(range?.requiredBytes ?? 0) && (limit === 0 || bytes <= limit)
}

/** What is free below the directory for those who are not root. */
export async function availableBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}
