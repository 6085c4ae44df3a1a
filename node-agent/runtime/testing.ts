import { readFileSync } from 'node:fs'
import { bytesBlob, makeImage, mediaTypes, type OciImage, ownPlatform } from '../images/oci/image.ts'
import { tarBytes } from '../images/oci/tar.ts'

/** A logger that says nothing. */
export const silent = { info() {}, warn() {}, error() {}, debug() {} } as never

/** Where Debian's busybox-static puts its one program. */
export const busyboxPath = '/bin/busybox'

/** An image of this machine's static busybox, with a shell and the tools that tests use. */
export async function busyboxImage(name: string): Promise<OciImage> {
  const tools = ['sh', 'sleep', 'cat', 'echo', 'ls', 'tar', 'mkdir', 'rm', 'nc', 'httpd', 'id', 'stty', 'head', 'true']
  const content = readFileSync(busyboxPath)
  const files = [{ name: 'bin/busybox', mode: 0o755, content }]
  const script = (tool: string) => Buffer.from(`#!/bin/busybox sh\nexec /bin/busybox ${tool} "$@"\n`)
  const layer = bytesBlob(
    mediaTypes.layer,
    await tarBytes([
      ...files,
      { name: 'bin/sh', mode: 0o755, content },
      ...tools.slice(1).map((tool) => ({ name: `bin/${tool}`, mode: 0o755, content: script(tool) })),
      { name: 'tmp/.keep', content: Buffer.alloc(0) },
      { name: 'etc/passwd', content: Buffer.from('root:x:0:0:root:/:/bin/sh\n') },
    ]),
  )
  const config = { Env: ['PATH=/bin'], Cmd: ['sh'] }
  return makeImage([name], { os: 'linux', architecture: ownPlatform().architecture, config }, [layer])
}
