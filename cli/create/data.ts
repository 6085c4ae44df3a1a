import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { CliError } from '../errors.ts'

export interface DataFlags {
  fromLiteral?: string[]
  fromFile?: string[]
  fromEnvFile?: string[]
}

const keyShape = /^[-._a-zA-Z0-9]+$/

/** The entries that the flags of a config map or a secret give, in their bytes. Throws what is wrong with which. */
export function dataOf({ fromLiteral = [], fromFile = [], fromEnvFile = [] }: DataFlags): Map<string, Buffer> {
  if (fromEnvFile.length > 0 && fromFile.length + fromLiteral.length > 0)
    throw new CliError('from-env-file cannot be combined with from-file or from-literal')
  const data = new Map<string, Buffer>()
  const add = (key: string, value: Buffer) => {
    if (!keyShape.test(key))
      throw new CliError(`${JSON.stringify(key)} is not a valid key name: it may have letters, digits, - _ and .`)
    if (data.has(key)) throw new CliError(`cannot add key "${key}", another key by that name already exists`)
    data.set(key, value)
  }
  for (const source of fromFile) for (const [key, path] of filesOf(source)) add(key, readFileSync(path))
  for (const literal of fromLiteral) {
    const at = literal.indexOf('=')
    if (at <= 0) throw new CliError(`invalid literal source ${literal}, expected key=value`)
    add(literal.slice(0, at), Buffer.from(unquoted(literal.slice(at + 1))))
  }
  for (const file of fromEnvFile)
    for (const [key, value] of variablesOf(readText(file), file)) add(key, Buffer.from(value))
  return data
}

const unquoted = (text: string): string => /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text

/** `path`, `key=path`, or the files of a directory. */
function filesOf(source: string): [string, string][] {
  const at = source.indexOf('=')
  if (at === 0) throw new CliError(`key name for file path ${source.slice(1)} missing`)
  if (at > 0) {
    const [key, path] = [source.slice(0, at), source.slice(at + 1)]
    if (path === '') throw new CliError(`file path for key name ${key} missing`)
    if (statOf(path).isDirectory()) throw new CliError('cannot give a key name for a directory path')
    return [[key, path]]
  }
  if (!statOf(source).isDirectory()) return [[basename(source), source]]
  return readdirSync(source, { withFileTypes: true })
    .filter((entry) => entry.isFile() && keyShape.test(entry.name))
    .map((entry) => [entry.name, join(source, entry.name)])
}

function statOf(path: string) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) throw new CliError(`error reading ${path}: no such file or directory`)
  return stat
}

function readText(path: string): string {
  if (statOf(path).isDirectory()) throw new CliError(`env config file ${path} cannot be a directory`)
  return readFileSync(path, 'utf8')
}

function variablesOf(text: string, file: string): [string, string][] {
  return text.split(/\r?\n/).flatMap((line, i): [string, string][] => {
    const trimmed = line.trimStart()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    const at = trimmed.indexOf('=')
    const key = at < 0 ? trimmed : trimmed.slice(0, at)
    if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(key))
      throw new CliError(`${file}, line ${i + 1}: ${JSON.stringify(key)} is no name of a variable`)
    return [[key, at < 0 ? (process.env[key] ?? '') : trimmed.slice(at + 1)]]
  })
}
