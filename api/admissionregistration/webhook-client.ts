import { X509Certificate } from 'node:crypto'
import { child, type FieldError, invalid, required } from '../machinery/field-errors.ts'
import { isDNS1123Subdomain, isValidPortNum } from '../machinery/names.ts'

/** Where a webhook is called: at a URL, or at a service of the cluster. */
export interface WebhookClient {
  url?: string
  service?: { name?: string; namespace?: string; path?: string; port?: number }
  caBundle?: string
}

export const defaultServicePort = 443

/** Fills in the port of the service. */
export function defaultWebhookClient(client: WebhookClient | undefined): void {
  if (client?.service) client.service.port ??= defaultServicePort
}

/** Faults of the address; `errorPath` is where upstream reports that it is not exactly one. */
export function validateWebhookClient(client: WebhookClient, path: string, errorPath = path): FieldError[] {
  const { url, service } = client
  if ((url === undefined) === (service === undefined)) {
    return [required(errorPath, 'exactly one of url or service is required')]
  }
  return url === undefined
    ? validateService(service ?? {}, child(path, 'service'))
    : validateUrl(url, child(path, 'url'))
}

const form = '; desired format: https://host[/path]'

function validateUrl(url: string, path: string): FieldError[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a URL must have none
  if (/[\x00-\x1f\x7f]/.test(url)) {
    return [
      required(
        path,
        `url must be a valid URL: parse ${JSON.stringify(url)}: net/url: invalid control character in URL${form}`,
      ),
    ]
  }
  const parts = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/.exec(url)
  const [, scheme = '', authority = '', query = '', fragment = ''] = parts ?? []
  const at = authority.lastIndexOf('@')
  const errors: FieldError[] = []
  if (scheme.toLowerCase() !== 'https') {
    errors.push(invalid(path, scheme.toLowerCase(), `'https' is the only allowed URL scheme${form}`))
  }
  if (authority.slice(at + 1) === '') errors.push(invalid(path, '', `host must be specified${form}`))
  if (at >= 0) {
    errors.push(invalid(path, authority.slice(0, at), 'user information is not permitted in the URL'))
  }
  if (fragment !== '') errors.push(invalid(path, fragment, 'fragments are not permitted in the URL'))
  if (query !== '') errors.push(invalid(path, query, 'query parameters are not permitted in the URL'))
  return errors
}

function validateService(service: NonNullable<WebhookClient['service']>, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { name = '', namespace = '', path: urlPath, port = defaultServicePort } = service
  if (name === '') errors.push(required(child(path, 'name')))
  if (namespace === '') errors.push(required(child(path, 'namespace')))
  const portFaults = isValidPortNum(port)
  if (portFaults.length > 0) {
    errors.push(invalid(child(path, 'port'), port, `port is not valid: ${portFaults.join(', ')}`))
  }
  if (urlPath) errors.push(...validateUrlPath(urlPath, child(path, 'path')))
  return errors
}

function validateUrlPath(urlPath: string, path: string): FieldError[] {
  if (urlPath === '/') return []
  if (urlPath === '//') return [invalid(path, urlPath, 'segment[0] may not be empty')]
  const errors: FieldError[] = []
  if (!urlPath.startsWith('/')) errors.push(invalid(path, urlPath, "must start with a '/'"))
  const segments = urlPath.slice(1).replace(/\/$/, '').split('/')
  for (const [i, segment] of segments.entries()) {
    const faults =
      segment === '' ? ['segment[%] may not be empty'] : isDNS1123Subdomain(segment).map((f) => `segment[%]: ${f}`)
    errors.push(...faults.map((fault) => invalid(path, urlPath, fault.replace('%', String(i)))))
  }
  return errors
}

/** Faults of a bundle of CA certificates: base64 of PEM. */
export function validateCaBundle(caBundle: string, path: string): FieldError[] {
  const pem = Buffer.from(caBundle, 'base64').toString('latin1')
  const blocks = pem.match(/-----BEGIN ([^-]+)-----[\s\S]*?-----END \1-----/g) ?? []
  const wrap = (why: string) => [invalid(path, caBundle, `unable to load root certificates: ${why}`)]
  if (blocks.length === 0) return wrap('unable to parse bytes as PEM block')
  let fault = 'no valid certificate authority data seen'
  for (const block of blocks) {
    if (!block.startsWith('-----BEGIN CERTIFICATE-----')) continue
    try {
      new X509Certificate(block)
      return []
    } catch (error) {
      fault = `failed to parse certificate: ${(error as Error).message}`
    }
  }
  return wrap(fault)
}
