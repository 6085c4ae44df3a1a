import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { StoreUnusable } from '../store.ts'

const metaFlag = 0x08
const branchFlag = 0x01
const leafFlag = 0x02
const overflowFlag = 0x04
const bigData = 0x01
const headerBytes = 24
const noPage = 2 ** 53

/**
 * Reads an LMDB file (data version 2, little-endian) page by page and throws {@link StoreUnusable} when its trees do
 * not hold together. LMDB maps the file and trusts it, so a damaged or shortened one would end the process with a
 * signal instead of an error.
 */
export function verifyFile(path: string): void {
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    const [meta, pageSize] = newestMeta(file, path)
    const pages = Math.floor(size / pageSize)
    const seen = new Uint8Array(Math.ceil(pages / 8))
    const check = new TreeCheck(path, file, pageSize, pages, seen)
    check.walk(meta.freeRoot)
    check.walk(meta.mainRoot)
  } finally {
    closeSync(file)
  }
}

interface MetaPage {
  transaction: number
  freeRoot: number
  mainRoot: number
}

function newestMeta(file: number, path: string): [MetaPage, number] {
  const head = Buffer.alloc(200)
  if (readSync(file, head, 0, 200, 0) < 200) throw damaged(path, 'it is shorter than its header')
  if (head.readUInt32LE(24) !== 0xbeefc0de || (head.readUInt16LE(18) & metaFlag) === 0)
    throw new StoreUnusable('foreign', `${path} is not a Gantry store`)
  if ((head.readUInt32LE(28) & 0xffff) !== 2)
    throw new StoreUnusable('format', `${path} has LMDB data version ${head.readUInt32LE(28) & 0xffff}, not 2`)
  const pageSize = head.readUInt32LE(48)
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0) throw damaged(path, 'no page size')
  const second = Buffer.alloc(200)
  if (readSync(file, second, 0, 200, pageSize) < 200) throw damaged(path, 'it is shorter than its header')
  if (second.readUInt32LE(24) !== 0xbeefc0de || second.readUInt32LE(48) !== pageSize)
    throw damaged(path, 'its second header page is not one')
  const metas = [head, second].map(readMeta)
  const newest = metas[0]!.transaction >= metas[1]!.transaction ? metas[0]! : metas[1]!
  return [newest, pageSize]
}

function readMeta(page: Buffer): MetaPage {
  return { freeRoot: pageNumber(page, 88), mainRoot: pageNumber(page, 136), transaction: pageNumber(page, 152) }
}

class TreeCheck {
  readonly #path: string
  readonly #file: number
  readonly #pageSize: number
  readonly #pages: number
  readonly #seen: Uint8Array

  constructor(path: string, file: number, pageSize: number, pages: number, seen: Uint8Array) {
    this.#path = path
    this.#file = file
    this.#pageSize = pageSize
    this.#pages = pages
    this.#seen = seen
  }

  walk(root: number): void {
    if (root >= noPage) return
    const stack = [root]
    const page = Buffer.allocUnsafe(this.#pageSize)
    while (stack.length > 0) {
      const flags = this.#read(stack.pop()!, page)
      if (flags & branchFlag) this.#branch(page, stack)
      else if (flags & leafFlag) this.#leaf(page)
      else throw damaged(this.#path, `page ${pageNumber(page, 0)} is of no known kind`)
    }
  }

  #read(number: number, into: Buffer): number {
    this.#claim(number, 1)
    if (readSync(this.#file, into, 0, into.length, number * this.#pageSize) < into.length)
      throw damaged(this.#path, 'it is cut short')
    if (pageNumber(into, 0) !== number) throw damaged(this.#path, `page ${number} is not what was written there`)
    return into.readUInt16LE(18)
  }

  #claim(number: number, count: number): void {
    if (number < 2 || number + count > this.#pages)
      throw damaged(this.#path, `it refers to page ${number} of ${this.#pages}: it is cut short`)
    for (let page = number; page < number + count; page++) {
      const bit = 1 << (page & 7)
      if (this.#seen[page >> 3]! & bit) throw damaged(this.#path, `page ${page} is used twice`)
      this.#seen[page >> 3]! |= bit
    }
  }

  /** Offsets of the page's nodes. LMDB counts them, and the bounds, from the end of the page's header. */
  *#nodes(page: Buffer): Iterable<number> {
    const lower = page.readUInt16LE(20)
    const upper = page.readUInt16LE(22)
    const number = pageNumber(page, 0)
    if (lower > upper || headerBytes + upper > page.length)
      throw damaged(this.#path, `page ${number} has impossible bounds`)
    for (let i = 0; i < lower; i += 2) {
      const at = page.readUInt16LE(headerBytes + i) + headerBytes
      if (at < headerBytes + upper || at + 8 > page.length || at + 8 + page.readUInt16LE(at + 6) > page.length)
        throw damaged(this.#path, `page ${number} has an impossible node`)
      yield at
    }
  }

  #branch(page: Buffer, stack: number[]): void {
    for (const at of this.#nodes(page))
      stack.push(page.readUInt16LE(at) + page.readUInt16LE(at + 2) * 2 ** 16 + page.readUInt16LE(at + 4) * 2 ** 32)
  }

  #leaf(page: Buffer): void {
    for (const at of this.#nodes(page)) {
      const size = page.readUInt32LE(at)
      const data = at + 8 + page.readUInt16LE(at + 6)
      if (!(page.readUInt16LE(at + 4) & bigData)) {
        if (data + size > page.length) throw damaged(this.#path, `page ${pageNumber(page, 0)} has an impossible value`)
        continue
      }
      const number = pageNumber(page, data)
      const header = Buffer.allocUnsafe(headerBytes)
      const count = Math.ceil((headerBytes + size) / this.#pageSize)
      this.#claim(number, count)
      readSync(this.#file, header, 0, headerBytes, number * this.#pageSize)
      if (pageNumber(header, 0) !== number || (header.readUInt16LE(18) & overflowFlag) === 0)
        throw damaged(this.#path, `page ${number} is not what was written there`)
    }
  }
}

function pageNumber(page: Buffer, at: number): number {
  return page.readUInt32LE(at) + page.readUInt32LE(at + 4) * 2 ** 32
}

function damaged(path: string, what: string): StoreUnusable {
  return new StoreUnusable('corrupt', `${path} is damaged (${what}): restore it from a snapshot`)
}
