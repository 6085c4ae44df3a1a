import { CliError } from '../errors.ts'
import { collect } from '../flags.ts'
import { creating, oneName, pairs } from './creating.ts'

interface IngressFlags {
  class?: string
  rule?: string[]
  defaultBackend?: string
  annotation?: string[]
}

interface ParsedRule {
  host: string
  path: string
  pathType: 'Prefix' | 'Exact'
  backend: object
  tls: string | undefined
}

export const ingress = creating<IngressFlags>({
  summary: 'which host and path lead to which service',
  usage: 'NAME --rule=host/path=service:port[,tls[=secret]]',
  examples: ['gantry create ingress web --rule="web.example/*=web:80"'],
  define: (command) =>
    void command
      .option('--class <name>', 'the class of ingresses it is of')
      .option('--rule <rule>', 'host/path=service:port[,tls[=secret]]; may be repeated', collect)
      .option('--default-backend <service:port>', 'where all else leads')
      .option('--annotation <key=value>', 'an annotation; may be repeated', collect),
  make(args, flags) {
    const name = oneName(args, 'ingress')
    if (!flags.rule && !flags.defaultBackend)
      throw new CliError(
        'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
      )
    const rules = (flags.rule ?? []).map(parseRule)
    const hosts = [...new Set(rules.map(({ host }) => host))]
    const secrets = [...new Set(rules.flatMap(({ tls }) => (tls === undefined ? [] : [tls])))]
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, ...(flags.annotation ? { annotations: pairs(flags.annotation) } : {}) },
      spec: {
        ...(flags.class ? { ingressClassName: flags.class } : {}),
        ...(flags.defaultBackend ? { defaultBackend: backendOf(flags.defaultBackend) } : {}),
        ...(rules.length > 0
          ? {
              rules: hosts.map((host) => ({
                ...(host ? { host } : {}),
                http: {
                  paths: rules
                    .filter((rule) => rule.host === host)
                    .map(({ path, pathType, backend }) => ({ path, pathType, backend })),
                },
              })),
            }
          : {}),
        ...(secrets.length > 0
          ? {
              tls: secrets.map((secretName) => ({
                hosts: [...new Set(rules.flatMap(({ tls, host }) => (tls === secretName && host ? [host] : [])))],
                ...(secretName ? { secretName } : {}),
              })),
            }
          : {}),
      },
      status: { loadBalancer: {} },
    }
  },
})

function parseRule(text: string): ParsedRule {
  const [main = '', ...options] = text.split(',')
  const match = /^([^/=]*)(\/[^=]*)?=([^:]+:.+)$/.exec(main)
  if (!match)
    throw new CliError(`rule ${text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`)
  const [, host = '', whole = '', backend = ''] = match
  const prefix = whole.endsWith('*')
  const tls = options.find((option) => /^tls(=|$)/.test(option))
  return {
    host,
    path: prefix ? whole.slice(0, -1) || '/' : whole,
    pathType: prefix ? 'Prefix' : 'Exact',
    backend: backendOf(backend),
    tls: tls === undefined ? undefined : tls.slice('tls='.length),
  }
}

function backendOf(text: string): object {
  const [name, port = ''] = text.split(':')
  return { service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } } }
}
