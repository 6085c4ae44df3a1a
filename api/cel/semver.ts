import type { Environment } from '@marcbachmann/cel-js'

/** A version after semver.org 2.0.0, as expressions see it. */
class Semver {
  readonly major: bigint
  readonly minor: bigint
  readonly patch: bigint
  readonly prerelease: readonly string[]
  constructor(major: bigint, minor: bigint, patch: bigint, prerelease: readonly string[]) {
    this.major = major
    this.minor = minor
    this.patch = patch
    this.prerelease = prerelease
  }
}

const identifiers = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const shape = new RegExp(`^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(?:-(${identifiers}))?(?:\\+${identifiers})?$`)
const isNumber = (text: string): boolean => /^\d+$/.test(text)

/** Reads a version. Throws an Error for what is none. */
export function parseSemver(text: string): Semver {
  const [, major, minor, patch, rest] = shape.exec(text) ?? []
  const prerelease = rest === undefined ? [] : rest.split('.')
  const hasLeadingZero = prerelease.some((part) => isNumber(part) && part.length > 1 && part.startsWith('0'))
  if (major === undefined || minor === undefined || patch === undefined || hasLeadingZero) {
    throw new Error(`${JSON.stringify(text)} is no version of the form MAJOR.MINOR.PATCH`)
  }
  return new Semver(BigInt(major), BigInt(minor), BigInt(patch), prerelease)
}

/** What upstream makes of a version that people write: without `v` and leading zeros, with all three numbers. */
function normalize(text: string): string {
  const [, numbers = '', rest = ''] = /^v?([^-+]*)(.*)$/.exec(text) ?? []
  const parts = numbers.split('.').map((part) => (isNumber(part) ? part.replace(/^0+(?=\d)/, '') : part))
  while (parts.length < 3) parts.push('0')
  return parts.join('.') + rest
}

/** Which of two versions comes first: -1, 0 or 1. What was built how does not matter. */
function compareSemver(a: Semver, b: Semver): number {
  for (const field of ['major', 'minor', 'patch'] as const) {
    if (a[field] !== b[field]) return a[field] < b[field] ? -1 : 1
  }
  // A version comes after all that were released before it.
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    return Math.sign(b.prerelease.length - a.prerelease.length)
  }
  for (const [i, part] of a.prerelease.entries()) {
    const other = b.prerelease[i]
    if (other === undefined) return 1
    const order = comparePart(part, other)
    if (order !== 0) return order
  }
  return a.prerelease.length < b.prerelease.length ? -1 : 0
}

/** Numbers by their size and before words; words by their letters. */
function comparePart(a: string, b: string): number {
  if (a === b) return 0
  if (isNumber(a) && isNumber(b)) return BigInt(a) < BigInt(b) ? -1 : 1
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1
  return a < b ? -1 : 1
}

function isSemver(text: string): boolean {
  try {
    parseSemver(text)
    return true
  } catch {
    return false
  }
}

const given = (text: string, normalized: boolean): string => (normalized ? normalize(text) : text)

/** `semver('1.2.3')` and what upstream lets one do with it. */
export function addSemvers(environment: Environment): void {
  environment
    .registerType('Semver', { ctor: Semver, fields: {} })
    .registerOperator('Semver == Semver', (a: Semver, b: Semver) => compareSemver(a, b) === 0)
    .registerFunction('semver(string): Semver', parseSemver)
    .registerFunction('semver(string, bool): Semver', (text: string, yes: boolean) => parseSemver(given(text, yes)))
    .registerFunction('isSemver(string): bool', isSemver)
    .registerFunction('isSemver(string, bool): bool', (text: string, yes: boolean) => isSemver(given(text, yes)))
    .registerFunction('Semver.major(): int', ({ major }: Semver) => major)
    .registerFunction('Semver.minor(): int', ({ minor }: Semver) => minor)
    .registerFunction('Semver.patch(): int', ({ patch }: Semver) => patch)
    .registerFunction('Semver.isGreaterThan(Semver): bool', (a: Semver, b: Semver) => compareSemver(a, b) > 0)
    .registerFunction('Semver.isLessThan(Semver): bool', (a: Semver, b: Semver) => compareSemver(a, b) < 0)
    .registerFunction('Semver.compareTo(Semver): int', (a: Semver, b: Semver) => BigInt(compareSemver(a, b)))
}
