import { answered } from './answered.ts'

/** How far history reaches, and which revision was the newest at a time. Answered, never stored. */
export const moments = answered('Moment', 'moments', false)
/** Every version of one object. */
export const histories = answered('History', 'histories', true)
/** Objects of any kind as they were. */
export const pastObjects = answered('PastObject', 'pastobjects', true)
/** What was written from one moment to another, by whom. */
export const changes = answered('Change', 'changes', true)

export const historyResources = [changes, histories, moments, pastObjects]
