import { createReadStream, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Pack, pack } from 'tar-stream'

/** An archive of a file or directory, which is called `name` in it. */
export function packLocal(path: string, name: string): PassThrough {
  const archive = pack()
  const out = new PassThrough()
  archive.pipe(out)
  add(archive, path, name).then(
    () => archive.finalize(),
    (error: Error) => out.destroy(error),
  )
  return out
}

async function add(archive: Pack, path: string, name: string): Promise<void> {
  const stat = lstatSync(path)
  const header = { name, mode: stat.mode & 0o7777, mtime: stat.mtime, uid: stat.uid, gid: stat.gid }
  if (stat.isSymbolicLink()) archive.entry({ ...header, type: 'symlink', linkname: readlinkSync(path) })
  else if (stat.isDirectory()) {
    archive.entry({ ...header, type: 'directory' })
    for (const child of readdirSync(path).sort()) await add(archive, join(path, child), `${name}/${child}`)
  } else if (stat.isFile()) await pipeline(createReadStream(path), archive.entry({ ...header, size: stat.size }))
}
