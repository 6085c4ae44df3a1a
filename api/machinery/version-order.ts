const pattern = /^v(\d+)(?:(alpha|beta)(\d+))?$/
const stability = { alpha: 1, beta: 2 }

/** The order in which clients prefer versions: v2, v1, v1beta2, v1alpha1; other names after those, by letter. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [pattern.exec(a), pattern.exec(b)]
  if (!one || !other) return one ? -1 : other ? 1 : a < b ? -1 : a > b ? 1 : 0
  const rank = ([, major, level, minor]: RegExpExecArray) =>
    [level ? stability[level as keyof typeof stability] : 3, Number(major), Number(minor ?? 0)] as const
  const [left, right] = [rank(one), rank(other)]
  return right[0] - left[0] || right[1] - left[1] || right[2] - left[2]
}
