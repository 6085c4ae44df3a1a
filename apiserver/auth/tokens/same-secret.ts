import { createHash, timingSafeEqual } from 'node:crypto'

/** Compares secrets in a time that does not depend on where they differ. */
export const sameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))

export const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
