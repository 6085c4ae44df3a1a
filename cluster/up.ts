import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { parseConfig } from '../apiserver/config.ts'
import { stopSignal } from '../apiserver/main.ts'
import { startApiServer } from '../apiserver/start.ts'

const help = `Usage: gantry up [flags]

Starts the Kubernetes API on this machine and prints how to use it.

  --data-dir DIR     where everything is kept (default .gantry)
  --port N           port of the API (default 6443; 0 takes any free one)
  --etcd-servers U   keep objects in etcd instead of the embedded store
`

/** `gantry up`: the whole of Gantry with one command. Runs until it is told to stop. */
export async function up(args: readonly string[]): Promise<number> {
  const startedAt = performance.now()
  const { values } = parseArgs({
    args: [...args],
    options: {
      'data-dir': { type: 'string', default: '.gantry' },
      port: { type: 'string', default: '6443' },
      'etcd-servers': { type: 'string', default: '' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const config = parseConfig([
    `--data-dir=${values['data-dir']}`,
    `--secure-port=${values.port}`,
    '--bind-address=127.0.0.1',
    `--etcd-servers=${values['etcd-servers']}`,
  ])
  const log = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }))
  try {
    const server = await startApiServer(config, log)
    process.stdout.write(welcome(server.url, server.kubeconfig, performance.now() - startedAt))
    await stopSignal()
    process.stdout.write('Stopping. Everything is kept; start again to go on.\n')
    await server.stop()
    return 0
  } catch (error) {
    process.stderr.write(`gantry up: ${explain(error as NodeJS.ErrnoException, values.port)}\n`)
    return 1
  }
}

function welcome(url: string, kubeconfig: string, ms: number): string {
  return `
Gantry serves the Kubernetes API v1.36 at ${url} (ready in ${(ms / 1000).toFixed(2)} s).

  export KUBECONFIG=${kubeconfig}

Three things to try:

  kubectl get namespaces
  kubectl create deployment web --image=nginx --replicas=3
  kubectl explain deployment.spec.strategy

Ctrl-C stops it; what you made is kept.
`
}

function explain(error: NodeJS.ErrnoException, port: string): string {
  if (error.code === 'EADDRINUSE')
    return `port ${port} is taken. Choose another with --port, or --port 0 for any free one.`
  if (error.code === 'EACCES')
    return `${error.message}. Choose a directory you may write to with --data-dir, and a port above 1023.`
  return error.message
}
