import { isIPv4, isIPv6 } from 'node:net'

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const shortName = new RegExp(`^${label}$`)
const longName = new RegExp(`^${label}(\\.${label})*$`)
const hostname =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$/u
const uuid = (third = '[0-9a-f]', fourth = '[0-9a-f]') =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${third}[0-9a-f]{3}-?${fourth}[0-9a-f]{3}-?[0-9a-f]{12}$`, 'i')
const isbn10 = /^(?:\d[- ]?){9}[\dX]$/
const isbn13 = /^(?:\d[- ]?){13}$/

/** The formats of strings that are checked, as upstream has them: without dashes, all others are ignored. */
const stringFormats: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  uri: (text) => /^[a-z][a-z0-9+.-]*:\S*$|^\/\S*$/i.test(text),
  email: (text) => /^[^\s@<>]+@[^\s@<>]+$/.test(text),
  hostname: (text) => text.length <= 255 && hostname.test(text) && text.split('.').every((part) => part.length <= 63),
  ipv4: (text) => isIPv4(text),
  ipv6: (text) => isIPv6(text),
  cidr: isCidr,
  mac: (text) => /^([0-9a-f]{2}([:-])([0-9a-f]{2}\2){4}[0-9a-f]{2}|([0-9a-f]{4}\.){2}[0-9a-f]{4})$/i.test(text),
  uuid: (text) => uuid().test(text),
  uuid3: (text) => uuid('3').test(text),
  uuid4: (text) => uuid('4', '[89ab]').test(text),
  uuid5: (text) => uuid('5', '[89ab]').test(text),
  isbn: (text) => isbn10.test(text) || isbn13.test(text),
  isbn10: (text) => isbn10.test(text),
  isbn13: (text) => isbn13.test(text),
  creditcard: (text) => /^\d{13,19}$/.test(text.replace(/[- ]/g, '')),
  ssn: (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: (text) => /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.test(text),
  rgbcolor: (text) => /^rgb\(\s*(\d{1,3}\s*,\s*){2}\d{1,3}\s*\)$/.test(text),
  byte: (text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  password: () => true,
  date: (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && isDate(text),
  duration: (text) => /^[+-]?(\d+(\.\d+)?\s*(µs|[a-z]+)\s*)+$|^0$/i.test(text),
  datetime: (text) =>
    /^\d{4}-\d{2}-\d{2}t\d{2}:\d{2}:\d{2}(\.\d+)?(z|[+-]\d{2}:\d{2})$/i.test(text) && isDate(text.slice(0, 10)),
  k8sshortname: (text) => text.length <= 63 && shortName.test(text),
  k8slongname: (text) => text.length <= 253 && longName.test(text),
}

const int32 = 2 ** 31
const numberFormats: Readonly<Record<string, (value: number) => boolean>> = {
  int32: (value) => value >= -int32 && value < int32,
  int64: (value) => Math.abs(value) <= 2 ** 63,
  float: (value) => Number.isFinite(Math.fround(value)),
  double: () => true,
}

/** Whether values are checked for the format: dashes do not count. */
export const isKnownFormat = (format: string): boolean =>
  Object.hasOwn(stringFormats, plain(format)) || Object.hasOwn(numberFormats, format)

/** The check of a known format. Values of other types than its own pass. */
export function fitsFormat(format: string, value: unknown): boolean {
  if (typeof value === 'string') return stringFormats[plain(format)]?.(value) ?? true
  if (typeof value === 'number') return numberFormats[format]?.(value) ?? true
  return true
}

const plain = (format: string): string => format.replaceAll('-', '')

function isCidr(text: string): boolean {
  const [address = '', bits = '', more] = text.split('/')
  if (more !== undefined || !/^\d{1,3}$/.test(bits)) return false
  return (isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128)
}

/** A day there is: the 30th of February is none. */
function isDate(text: string): boolean {
  const ms = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}
