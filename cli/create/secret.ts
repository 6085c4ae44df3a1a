import { readFileSync } from 'node:fs'
import { CliError } from '../errors.ts'
import { collect } from '../flags.ts'
import type { Verb } from '../verb.ts'
import { addDataFlags } from './configmap.ts'
import { creating, oneName } from './creating.ts'
import { type DataFlags, dataOf } from './data.ts'
import { contentHash } from './hash.ts'

const encoded = (entries: Iterable<readonly [string, Buffer]>): Record<string, string> =>
  Object.fromEntries(Array.from(entries, ([key, bytes]) => [key, bytes.toString('base64')]))

const secretOf = (name: string, type: string, data: Record<string, string>, appendHash = false) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: `${name}${appendHash ? `-${contentHash({ data, kind: 'Secret', name, type })}` : ''}` },
  ...(Object.keys(data).length > 0 ? { data } : {}),
  ...(type ? { type } : {}),
})

const generic = creating<DataFlags & { type?: string; appendHash?: boolean }>({
  summary: 'from words or files',
  usage: 'NAME [--from-literal=KEY=VALUE] [--from-file=[KEY=]PATH] [--type=TYPE]',
  examples: ['gantry create secret generic login --from-literal=password=hunter2'],
  define: (command) => void addDataFlags(command).option('--type <type>', 'which kind of secret it is'),
  make: (args, flags) => secretOf(oneName(args, 'secret'), flags.type ?? '', encoded(dataOf(flags)), flags.appendHash),
})

interface RegistryFlags {
  dockerServer: string
  dockerUsername?: string
  dockerPassword?: string
  dockerEmail?: string
  fromFile?: string[]
  appendHash?: boolean
}

const dockerRegistry = creating<RegistryFlags>({
  summary: 'to pull images by',
  usage: 'NAME --docker-username=USER --docker-password=PASSWORD [--docker-server=REGISTRY]',
  examples: [
    'gantry create secret docker-registry pull --docker-server=registry.example --docker-username=me --docker-password=secret',
  ],
  define: (command) =>
    void command
      .option('--docker-server <registry>', 'the registry', 'https://index.docker.io/v1/')
      .option('--docker-username <name>', 'who asks there')
      .option('--docker-password <password>', 'by which password')
      .option('--docker-email <address>', 'the address of that user')
      .option('--from-file <path>', 'a file of such credentials', collect)
      .option('--append-hash', 'what is in it as a hash at the end of its name'),
  make(args, flags) {
    const name = oneName(args, 'secret')
    const key = '.dockerconfigjson'
    if (flags.fromFile) {
      const [file = ''] = flags.fromFile
      const path = file.startsWith(`${key}=`) ? file.slice(key.length + 1) : file
      return secretOf(
        name,
        'kubernetes.io/dockerconfigjson',
        { [key]: readFileSync(path).toString('base64') },
        flags.appendHash,
      )
    }
    const { dockerServer: server, dockerUsername: username, dockerPassword: password, dockerEmail: email } = flags
    if (!username || !password)
      throw new CliError(
        'either --from-file or the combination of --docker-username, --docker-password and --docker-server is required',
      )
    const auth = Buffer.from(`${username}:${password}`).toString('base64')
    const config = { auths: { [server]: { username, password, ...(email ? { email } : {}), auth } } }
    const data = { [key]: Buffer.from(JSON.stringify(config)).toString('base64') }
    return secretOf(name, 'kubernetes.io/dockerconfigjson', data, flags.appendHash)
  },
})

const tls = creating<{ cert?: string; key?: string; appendHash?: boolean }>({
  summary: 'a certificate with its key',
  usage: 'NAME --cert=FILE --key=FILE',
  examples: ['gantry create secret tls web --cert=web.crt --key=web.key'],
  define: (command) =>
    void command
      .option('--cert <file>', 'the certificate, as PEM')
      .option('--key <file>', 'its key, as PEM')
      .option('--append-hash', 'what is in it as a hash at the end of its name'),
  make(args, { cert, key, appendHash }) {
    if (!cert || !key) throw new CliError('key and cert must be specified')
    const data = encoded([
      ['tls.crt', readFileSync(cert)],
      ['tls.key', readFileSync(key)],
    ])
    return secretOf(oneName(args, 'secret'), 'kubernetes.io/tls', data, appendHash)
  },
})

export const secret: Verb & { summary: string } = {
  summary: 'a secret, from words or files, for a registry, or a certificate',
  usage: '(generic | docker-registry | tls) NAME',
  examples: generic.examples,
  run: async () => 1,
  verbs: { generic, 'docker-registry': dockerRegistry, tls },
}
