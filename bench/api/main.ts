import { parseArgs } from 'node:util'
import { heading, row } from './report.ts'
import { measure } from './scenarios.ts'
import { targetOf, usageOf } from './target.ts'

const help = `Drives any Kubernetes API server and prints what it does per second.

  --kubeconfig FILE   the server and who asks (default $KUBECONFIG)
  --server URL        the server, with --ca FILE and --token TEXT or --cert FILE --key FILE
  --pid N[,N…]        the server's processes, for their time and memory
  --large             also the list of 50,000 and the 1,000 watchers
  --json              machine-readable
`

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: process.env.KUBECONFIG ?? '' },
    server: { type: 'string', default: '' },
    token: { type: 'string', default: '' },
    ca: { type: 'string', default: '' },
    cert: { type: 'string', default: '' },
    key: { type: 'string', default: '' },
    pid: { type: 'string', default: '' },
    large: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help || (values.kubeconfig === '' && values.server === '')) {
  process.stdout.write(help)
  process.exit(values.help ? 0 : 2)
}

const target = targetOf(values)
const say = (line: string) => (values.json ? undefined : process.stdout.write(`${line}\n`))
const atRest = usageOf(target.pids)
say(heading)
const measured = await measure(target, values.large, (what) => say(row(what)))
const after = usageOf(target.pids)
if (values.json) process.stdout.write(`${JSON.stringify({ atRest, ...measured, after })}\n`)
else
  say(
    `memory: ${atRest.memoryMb.toFixed(0)} MB before, ${after.memoryMb.toFixed(0)} after, ${after.peakMemoryMb.toFixed(0)} at most`,
  )
