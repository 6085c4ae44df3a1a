import { CliError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { NamedObject } from '../objects.ts'
import { addSelectorFlag, podSpecOrThrow, type SetFlags, setting } from './setting.ts'

type Images = readonly (readonly [container: string, image: string])[]

export const image = setting<SetFlags>({
  summary: 'give containers another image',
  usage: '(-f FILE | TYPE/NAME | TYPE --all | TYPE -l LABELS) CONTAINER=IMAGE...',
  examples: [
    'gantry set image deployment/web app=web:2',
    "gantry set image deployment/web '*=web:2'",
    'gantry set image -f web.yaml app=web:2 --local -o yaml',
  ],
  done: 'image updated',
  define: addSelectorFlag,
  parse(_session, args) {
    const words = args.filter((word) => !word.includes('='))
    const images = args
      .filter((word) => word.includes('='))
      .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] as const)
    if (images.length === 0) throw new CliError('at least one image update is required: CONTAINER=IMAGE')
    return { words, change: (object) => withImages(object, images) }
  },
})

/** The object with other images. Throws for a container that is not there. */
export function withImages(object: NamedObject, images: Images): NamedObject {
  const { containers = [], initContainers = [] } = podSpecOrThrow(object)
  for (const [wanted, to] of images) {
    const meant = [...initContainers, ...containers].filter(({ name }) => wanted === '*' || name === wanted)
    if (meant.length === 0) {
      const near = nearest(
        wanted,
        containers.map(({ name }) => name),
      )
      throw new CliError(`unable to find container named "${wanted}"${near ? `. Did you mean "${near}"?` : ''}`)
    }
    for (const container of meant) container.image = to
  }
  return object
}
