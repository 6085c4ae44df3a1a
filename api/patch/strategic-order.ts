/** Order of lists in a strategic merge patch: the patch's wish first, the server's order for the rest. */

type KeyOf = (item: unknown) => unknown

function positions(order: readonly unknown[], key: KeyOf): Map<unknown, number> {
  const at = new Map<unknown, number>()
  order.forEach((item, i) => {
    const its = key(item)
    if (!at.has(its)) at.set(its, i)
  })
  return at
}

/** `list` in the order of `order`. Stable, so items of one key keep their places among themselves. */
export function orderBy(list: readonly unknown[], order: readonly unknown[], key: KeyOf): unknown[] {
  const at = positions(order, key)
  const place = (item: unknown) => at.get(key(item)) ?? Number.MAX_SAFE_INTEGER
  return list.toSorted((a, b) => place(a) - place(b))
}

/**
 * One list of two, each keeping its own order: an item of `left` goes before the first item of `right` that the server
 * had after it.
 */
export function mergeOrder(
  left: readonly unknown[],
  right: readonly unknown[],
  serverOrder: readonly unknown[],
  key: KeyOf,
): unknown[] {
  const at = positions(serverOrder, key)
  const merged: unknown[] = []
  let i = 0
  for (const item of right) {
    const limit = at.get(key(item))
    while (i < left.length) {
      const mine = at.get(key(left[i]))
      if (limit === undefined || mine === undefined || mine >= limit) break
      merged.push(left[i++])
    }
    merged.push(item)
  }
  return [...merged, ...left.slice(i)]
}
