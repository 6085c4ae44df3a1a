import { pairs } from '../create/creating.ts'
import { CliError } from '../errors.ts'
import type { NamedObject } from '../objects.ts'
import { type SetFlags, setting } from './setting.ts'

interface SelectorFlags extends SetFlags {
  resourceVersion?: string
}

export const selector = setting<SelectorFlags>({
  summary: 'which pods a service leads to',
  usage: '(-f FILE | TYPE NAME) KEY=VALUE,...',
  examples: ['gantry set selector service web app=web,tier=front'],
  done: 'selector updated',
  tellsAlways: true,
  define: (command) => void command.option('--resource-version <version>', 'only if the object is at this version'),
  parse(_session, args, { resourceVersion }) {
    const words = args.filter((word) => !word.includes('='))
    const [labels, ...more] = args.filter((word) => word.includes('='))
    if (!labels || more.length > 0) throw new CliError(`one selector is required, as one word: KEY=VALUE,KEY=VALUE`)
    const wanted = pairs(labels.split(','))
    return {
      words,
      change: (object) => {
        const changed = withSelector(object, wanted)
        return resourceVersion ? { ...changed, metadata: { ...changed.metadata, resourceVersion } } : changed
      },
    }
  },
})

/** The service with these labels in the place of those it selected by. Throws for what is no service. */
export function withSelector(object: NamedObject, labels: Readonly<Record<string, string>>): NamedObject {
  if (object.kind !== 'Service') throw new CliError('setting a selector is only supported for Services')
  return { ...object, spec: { ...(object.spec as object), selector: labels } }
}
