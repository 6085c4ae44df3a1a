import { isIPv4, isIPv6 } from 'node:net'

/**
 * Checks of names, keys and other small formats. Each returns what is wrong in upstream's words; an empty list means
 * that the value is right.
 */

/** Checks a name, or with `prefix` a generateName that a suffix will complete. */
export type NameValidator = (name: string, prefix: boolean) => string[]

const none: string[] = []

const dnsLabel = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const dnsSubdomain = `${dnsLabel}(\\.${dnsLabel})*`
const dns1035Label = '[a-z]([-a-z0-9]*[a-z0-9])?'
const labelKey = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const envVarName = '[-._a-zA-Z][-._a-zA-Z0-9]*'
const configMapKey = '[-._a-zA-Z0-9]+'
const headerName = '[-A-Za-z0-9]+'
const percent = '[0-9]+%'
const httpPath = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const cIdentifier = '[A-Za-z_][A-Za-z0-9_]*'

const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`)
const dnsLabelPattern = whole(dnsLabel)
const dnsSubdomainPattern = whole(dnsSubdomain)
const dns1035LabelPattern = whole(dns1035Label)
const wildcardPattern = whole(`\\*\\.${dnsSubdomain}`)
const labelKeyPattern = whole(labelKey)
const labelValuePattern = whole(`(${labelKey})?`)
const envVarNamePattern = whole(envVarName)
const configMapKeyPattern = whole(configMapKey)
const headerNamePattern = whole(headerName)
const percentPattern = whole(percent)
const httpPathPattern = whole(httpPath)
const cIdentifierPattern = whole(cIdentifier)

/** `… (e.g. 'a',  or 'b', regex used for validation is '…')`. */
export function regexError(message: string, pattern: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`
  const shown = examples.map((example, i) => `${i > 0 ? ' or ' : ''}'${example}', `).join('')
  return `${message} (e.g. ${shown}regex used for validation is '${pattern}')`
}

export const maxLengthError = (length: number): string => `must be no more than ${length} characters`
/** Of a length in bytes. */
export const maxBytesError = (length: number): string => `must be no more than ${length} bytes`
export const inclusiveRangeError = (low: number, high: number): string =>
  `must be between ${low} and ${high}, inclusive`
const emptyError = 'must be non-empty'

function limited(value: string, max: number, pattern: RegExp, fault: () => string): string[] {
  const tooLong = value.length > max
  const matches = pattern.test(value)
  if (!tooLong && matches) return none
  return [...(tooLong ? [maxBytesError(max)] : []), ...(matches ? [] : [fault()])]
}

export const isDNS1123Label = (value: string): string[] =>
  limited(value, 63, dnsLabelPattern, () =>
    // A subdomain where a label is wanted: say that the dots are what is wrong.
    dnsSubdomainPattern.test(value)
      ? 'must not contain dots'
      : regexError(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          dnsLabel,
          'my-name',
          '123-abc',
        ),
  )

export const isDNS1123Subdomain = (value: string): string[] =>
  limited(value, 253, dnsSubdomainPattern, () =>
    regexError(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
      dnsSubdomain,
      'example.com',
    ),
  )

const underscoreLabel = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const underscoreSubdomain = `${underscoreLabel}(\\.${underscoreLabel})*`
const underscoreSubdomainPattern = whole(underscoreSubdomain)
export const isDNS1123SubdomainWithUnderscore = (value: string): string[] =>
  limited(value, 253, underscoreSubdomainPattern, () =>
    regexError(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
      underscoreSubdomain,
      'example.com',
    ),
  )

export const isDNS1035Label = (value: string): string[] =>
  limited(value, 63, dns1035LabelPattern, () =>
    regexError(
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
      dns1035Label,
      'my-name',
      'abc-123',
    ),
  )

export const isWildcardDNS1123Subdomain = (value: string): string[] =>
  limited(value, 253, wildcardPattern, () =>
    regexError(
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      `\\*\\.${dnsSubdomain}`,
      '*.example.com',
    ),
  )

const qualifiedNameRule = () =>
  regexError(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    labelKey,
    'MyName',
    'my.name',
    '123-abc',
  )

/** A label key: an optional DNS subdomain and a slash, then a name of at most 63 characters. */
export function isQualifiedName(value: string): string[] {
  const slash = value.indexOf('/')
  const name = slash < 0 ? value : value.slice(slash + 1)
  if (slash >= 0 && name.includes('/')) {
    return [
      `a valid label key ${qualifiedNameRule()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const errors: string[] = []
  if (slash === 0) errors.push(`prefix part ${emptyError}`)
  else if (slash > 0) {
    for (const message of isDNS1123Subdomain(value.slice(0, slash))) errors.push(`prefix part ${message}`)
  }
  if (name.length === 0) errors.push(`name part ${emptyError}`)
  else if (name.length > 63) errors.push(`name part ${maxBytesError(63)}`)
  if (!labelKeyPattern.test(name)) errors.push(`name part ${qualifiedNameRule()}`)
  return errors
}

export const isValidLabelValue = (value: string): string[] =>
  limited(value, 63, labelValuePattern, () =>
    regexError(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      `(${labelKey})?`,
      'MyValue',
      'my_value',
      '12345',
    ),
  )

export const isInRange = (value: number, low: number, high: number): string[] =>
  value >= low && value <= high ? none : [inclusiveRangeError(low, high)]
export const isValidPortNum = (port: number): string[] => isInRange(port, 1, 65_535)
const maxId = 2_147_483_647
export const isValidGroupId = (id: number): string[] => isInRange(id, 0, maxId)
export const isValidUserId = (id: number): string[] => isInRange(id, 0, maxId)

export function isValidPortName(name: string): string[] {
  const errors: string[] = []
  if (name.length > 15) errors.push(maxLengthError(15))
  if (!/^[-a-z0-9]+$/.test(name)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(name)) errors.push('must contain at least one letter (a-z)')
  if (name.includes('--')) errors.push('must not contain consecutive hyphens')
  if (name.startsWith('-') || name.endsWith('-')) errors.push('must not begin or end with a hyphen')
  return errors
}

export const isPercent = (value: string): string[] =>
  percentPattern.test(value)
    ? none
    : [regexError("a valid percent string must be a numeric string followed by an ending '%'", percent, '1%', '93%')]

export const isHTTPHeaderName = (value: string): string[] =>
  headerNamePattern.test(value)
    ? none
    : [regexError("a valid HTTP header must consist of alphanumeric characters or '-'", headerName, 'X-Header-Name')]

/** The strict form; {@link isRelaxedEnvVarName} is what upstream asks since v1.34. */
export function isEnvVarName(value: string): string[] {
  const errors = envVarNamePattern.test(value)
    ? []
    : [
        regexError(
          "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
          envVarName,
          'my.env-name',
          'MY_ENV.NAME',
          'MyEnvName1',
        ),
      ]
  return [...errors, ...climbing(value)]
}

export function isRelaxedEnvVarName(value: string): string[] {
  if (value.length === 0) return [`environment variable name ${emptyError}`]
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(value)
    ? none
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

export function isConfigMapKey(value: string): string[] {
  const errors: string[] = []
  if (value.length > 253) errors.push(maxBytesError(253))
  if (!configMapKeyPattern.test(value)) {
    errors.push(
      regexError(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        configMapKey,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    )
  }
  errors.push(...climbing(value))
  return errors.length === 0 ? none : errors
}

function climbing(value: string): string[] {
  if (value === '.') return ["must not be '.'"]
  if (value === '..') return ["must not be '..'"]
  return value.startsWith('..') ? ["must not start with '..'"] : none
}

/** Any way of writing an address that upstream's older fields accept: leading zeros in IPv4 included. */
export function isValidIP(value: string): string[] {
  return (isIPv6(value) && !value.includes('%')) || isIPv4(value.replace(/(^|\.)0+(?=\d)/g, '$1'))
    ? none
    : ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']
}

/** A range in CIDR form, leading zeros accepted as upstream's older fields do. */
export function isCIDR(value: string): string[] {
  const [ip = '', bits = '', ...more] = value.split('/')
  const prefix = Number(bits)
  const valid =
    more.length === 0 && /^\d+$/.test(bits) && isValidIP(ip).length === 0 && prefix <= (ip.includes(':') ? 128 : 32)
  return valid ? none : ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']
}

/** `host:port`. */
export function isValidSocketAddr(value: string): string[] {
  const match = value.match(/^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/)
  if (!match) return ['must be a valid socket address format, (e.g. 0.0.0.0:10254 or [::]:10254)']
  return [...isValidPortNum(Number(match[3])), ...isValidIP(match[1] ?? match[2] ?? '')]
}

export const isCIdentifier = (value: string): string[] =>
  cIdentifierPattern.test(value)
    ? none
    : [
        regexError(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          cIdentifier,
          'my_name',
          'MY_NAME',
          'MyName',
        ),
      ]

/** A DNS subdomain of three parts at least. */
export function isFullyQualifiedName(value: string): string[] {
  if (value === '') return [emptyError]
  const errors = isDNS1123Subdomain(value)
  if (errors.length > 0) return errors
  return value.split('.').length < 3 ? ['should be a domain with at least three segments separated by dots'] : none
}

/** `acme.io/foo`. */
export function isDomainPrefixedPath(value: string): string[] {
  const slash = value.indexOf('/')
  if (slash <= 0 || slash === value.length - 1) return ['must be a domain-prefixed path (such as "acme.io/foo")']
  const errors = isDNS1123Subdomain(value.slice(0, slash))
  if (errors.length > 0) return errors
  return httpPathPattern.test(value.slice(slash + 1)) ? none : [regexError('Invalid path', httpPath)]
}

/** A generateName may end in a dash: what follows makes it whole. */
const completed = (name: string, prefix: boolean): string =>
  prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name

export const nameIsDNSSubdomain: NameValidator = (name, prefix) => isDNS1123Subdomain(completed(name, prefix))
export const nameIsDNSLabel: NameValidator = (name, prefix) => isDNS1123Label(completed(name, prefix))
export const nameIsDNS1035Label: NameValidator = (name, prefix) => isDNS1035Label(completed(name, prefix))

/** Anything that can stand between two slashes of a path. */
export function pathSegmentName(name: string, prefix: boolean): string[] {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`]
  const errors: string[] = []
  if (name.includes('/')) errors.push("may not contain '/'")
  if (name.includes('%')) errors.push("may not contain '%'")
  return errors
}
