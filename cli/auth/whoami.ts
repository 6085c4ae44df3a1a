import type { SelfSubjectReview } from '../../api/generated/types.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import { CliError } from '../errors.ts'
import { addOutputFlags, type OutputFlags } from '../print/output-flags.ts'
import { parseOutput, printObject } from '../print/printer.ts'
import { alignRows } from '../print/table.ts'
import type { Verb } from '../verb.ts'

export const whoami: Verb<OutputFlags> & { summary: string } = {
  summary: 'who the server takes you for',
  usage: '',
  examples: ['gantry auth whoami', 'gantry auth whoami --as=jane'],
  define: (command) => void addOutputFlags(command, 'yaml, kyaml, json, jsonpath=…, go-template=…'),
  async run(session, args, flags) {
    if (args.length > 0) throw new CliError(`unexpected arguments: [${args.join(' ')}]`)
    const output = await parseOutput(flags)
    const review = await session.json<SelfSubjectReview>('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
    })
    if (output.type !== 'table') {
      session.io.out(printObject(output, review as AnyObject))
      return 0
    }
    const { username, uid, groups = [], extra = {} } = review.status?.userInfo ?? {}
    const rows = [
      ['ATTRIBUTE', 'VALUE'],
      ...(username ? [['Username', username]] : []),
      ...(uid ? [['UID', uid]] : []),
      ...(groups.length > 0 ? [['Groups', `[${groups.join(' ')}]`]] : []),
      ...Object.entries(extra)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, values]) => [`Extra: ${key}`, `[${values.join(' ')}]`]),
    ]
    session.io.out(alignRows(rows))
    return 0
  },
}
