import type { CronJob, Job } from '../../api/generated/types.ts'
import { CliError } from '../errors.ts'
import { collectList } from '../flags.ts'
import { creating, oneName } from './creating.ts'

interface DeploymentFlags {
  image?: string[]
  replicas: string
  port?: string
}

export const deployment = creating<DeploymentFlags>({
  summary: 'a deployment',
  usage: 'NAME --image=IMAGE [--replicas=N] [--port=PORT] -- [COMMAND] [args...]',
  examples: [
    'gantry create deployment web --image=nginx --replicas=3',
    'gantry create deployment box --image=busybox -- date',
  ],
  define: (command) =>
    void command
      .option('--image <image>', 'what to run; may be repeated for more containers', collectList)
      .option('-r, --replicas <n>', 'how many pods', '1')
      .option('--port <port>', 'the port it listens on'),
  make(args, { image: images = [], replicas, port }, rest) {
    const name = oneName(args, 'deployment')
    if (images.length === 0) throw new CliError('required flag(s) "image" not set')
    if (images.length > 1 && rest?.length) throw new CliError('cannot specify multiple --image options and command')
    const labels = { app: name }
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, labels },
      spec: {
        replicas: wholeNumber(replicas, '--replicas'),
        selector: { matchLabels: labels },
        strategy: {},
        template: {
          metadata: { labels },
          spec: {
            containers: images.map((image, i) => ({
              name: containerName(image),
              image,
              ...(rest?.length ? { command: rest } : {}),
              ...(port && i === 0 ? { ports: [{ containerPort: wholeNumber(port, '--port') }] } : {}),
              resources: {},
            })),
          },
        },
      },
      status: {},
    }
  },
})

/** `registry.example/team/web-server:1@sha256:…` makes `web-server`. */
export const containerName = (image: string): string =>
  (image.split('@')[0] ?? '')
    .split('/')
    .at(-1)
    ?.split(':')[0]
    ?.toLowerCase()
    .replace(/[^-a-z0-9]/g, '-') ?? ''

/** A number that a flag gives. Throws for what is none. */
export function wholeNumber(text: string, flag: string): number {
  if (!/^-?\d+$/.test(text))
    throw new CliError(`invalid argument "${text}" for "${flag}" flag: it must be a whole number`)
  return Number(text)
}

const jobSpec = (name: string, image: string, command: readonly string[] = [], restartPolicy: string) => ({
  template: {
    metadata: {},
    spec: {
      containers: [{ name, image, ...(command.length > 0 ? { command: [...command] } : {}), resources: {} }],
      restartPolicy,
    },
  },
})

interface JobFlags {
  image?: string
  from?: string
}

export const job = creating<JobFlags>({
  summary: 'a job',
  usage: 'NAME --image=IMAGE -- [COMMAND] [args...]',
  examples: ['gantry create job backup --image=busybox -- date'],
  define: (command) =>
    void command
      .option('--image <image>', 'what to run')
      .option('--from <cronjob/NAME>', 'the job a cron job would make'),
  make(args, { image, from }, rest) {
    const name = oneName(args, 'job')
    if (from) throw new CliError('--from is read by the verb itself')
    if (!image) throw new CliError('either --image or --from must be specified')
    const spec: Job['spec'] = jobSpec(name, image, rest, 'Never')
    return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec, status: {} }
  },
})

/** The job that a cron job would make now. */
export const jobFrom = (name: string, cronJob: CronJob) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    name,
    annotations: { 'cronjob.kubernetes.io/instantiate': 'manual', ...cronJob.spec?.jobTemplate.metadata?.annotations },
    ...(cronJob.spec?.jobTemplate.metadata?.labels ? { labels: cronJob.spec.jobTemplate.metadata.labels } : {}),
    ownerReferences: [
      {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        name: cronJob.metadata?.name ?? '',
        uid: cronJob.metadata?.uid ?? '',
        controller: true,
      },
    ],
  },
  spec: cronJob.spec?.jobTemplate.spec ?? {},
})

interface CronJobFlags {
  image?: string
  schedule?: string
  restart: string
}

export const cronjob = creating<CronJobFlags>({
  summary: 'a cron job',
  usage: "NAME --image=IMAGE --schedule='0/5 * * * ?' -- [COMMAND] [args...]",
  examples: ['gantry create cronjob backup --image=busybox --schedule="0 3 * * *" -- date'],
  define: (command) =>
    void command
      .option('--image <image>', 'what to run')
      .option('--schedule <schedule>', 'when: minute, hour, day, month, day of the week')
      .option('--restart <policy>', 'OnFailure or Never', 'OnFailure'),
  make(args, { image, schedule, restart }, rest) {
    const name = oneName(args, 'cron job')
    if (!image) throw new CliError('required flag(s) "image" not set')
    if (!schedule) throw new CliError('required flag(s) "schedule" not set')
    return {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name },
      spec: { schedule, jobTemplate: { metadata: { name }, spec: jobSpec(name, image, rest, restart) } },
      status: {},
    }
  },
})
