import type { Container, EnvVar } from '../../api/generated/types.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import { pairs } from '../create/creating.ts'
import { wholeNumber } from '../create/workloads.ts'
import { CliError } from '../errors.ts'

/** The flags that say what a pod is like. */
export interface PodFlags {
  image?: string
  imagePullPolicy?: string
  port?: string
  env?: string[]
  labels?: string[]
  annotations?: string[]
  command?: boolean
  privileged?: boolean
  restart: string
  stdin?: boolean
  tty?: boolean
  leaveStdinOpen?: boolean
}

/** The pod that `run NAME --image=IMAGE` makes; `words` are its arguments, or its command. */
export function podToRun(name: string, flags: PodFlags, words: readonly string[]) {
  const { image = '', port, env, restart } = flags
  if (!['Always', 'OnFailure', 'Never'].includes(restart))
    throw new CliError(`invalid restart policy: ${restart}; choose Always, OnFailure or Never`)
  const variables: EnvVar[] = Object.entries(pairs(env)).map(([key, value]) => ({ name: key, value }))
  const container: Container = {
    name,
    image,
    ...(flags.imagePullPolicy ? { imagePullPolicy: flags.imagePullPolicy } : {}),
    ...(words.length > 0 ? (flags.command ? { command: [...words] } : { args: [...words] }) : {}),
    ...(port ? { ports: [{ containerPort: wholeNumber(port, '--port') }] } : {}),
    ...(variables.length > 0 ? { env: variables } : {}),
    ...(flags.stdin ? { stdin: true, ...(flags.leaveStdinOpen ? {} : { stdinOnce: true }) } : {}),
    ...(flags.tty ? { tty: true } : {}),
    ...(flags.privileged ? { securityContext: { privileged: true } } : {}),
    resources: {},
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: flags.labels ? pairs(flags.labels) : { run: name },
      ...(flags.annotations ? { annotations: pairs(flags.annotations) } : {}),
    },
    spec: { containers: [container], restartPolicy: restart, dnsPolicy: 'ClusterFirst' },
    status: {},
  } satisfies AnyObject
}

/** The service that `run --expose` makes beside the pod. */
export const serviceFor = (name: string, port: string, labels: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: {
    ports: [{ protocol: 'TCP', port: wholeNumber(port, '--port'), targetPort: wholeNumber(port, '--port') }],
    selector: labels,
  },
  status: { loadBalancer: {} },
})
