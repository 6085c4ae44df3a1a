/** The object without its undefined fields: exact optional properties ask for it. */
export function omitUndefined<T extends object>(object: { [K in keyof T]: T[K] | undefined }): T {
  const result = {} as Record<string, unknown>
  for (const [key, value] of Object.entries(object)) if (value !== undefined) result[key] = value
  return result as T
}
