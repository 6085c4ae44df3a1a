import { env } from './set/env.ts'
import { image } from './set/image.ts'
import { resources } from './set/resources.ts'
import { selector } from './set/selector.ts'
import { serviceaccount } from './set/serviceaccount.ts'
import { subject } from './set/subject.ts'
import type { Verb } from './verb.ts'

export const set: Verb = {
  usage: '(image | env | resources | selector | serviceaccount | subject) TYPE/NAME ...',
  examples: image.examples,
  run: async () => 1,
  verbs: { env, image, resources, selector, serviceaccount, sa: serviceaccount, subject },
}
