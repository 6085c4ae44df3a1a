import { readFile } from 'node:fs/promises'

/** All paths on which a file system is mounted, as this process sees them. */
export async function mountPoints(): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    const path = line.split(' ')[4]
    // The kernel writes blanks and the like as octal numbers.
    return path === undefined
      ? []
      : [path.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)))]
  })
}

export async function isMountPoint(path: string): Promise<boolean> {
  return (await mountPoints()).includes(path)
}
