import { spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** Our own drivers keep volumes and snapshots below the agent's directory; those of others keep theirs elsewhere. */
const drivers = ['plugins/local-path.gantry.dev', 'plugins/loop.gantry.dev']

/**
 * Packs what our drivers keep on a node, whose cluster is stopped. Resolves to whether there was anything. The system's tar
 * does it: it leaves out the holes of a disk image, and keeps extended attributes.
 */
export async function saveVolumes(nodeDirectory: string, path: string): Promise<boolean> {
  const there = drivers.filter((name) => existsSync(join(nodeDirectory, name)))
  if (there.length === 0) return false
  await tar(['--create', '--sparse', '--xattrs', '--file', path, '--directory', nodeDirectory, ...there])
  return true
}

/** Unpacks it again: owners, modes and links as they were. */
export async function restoreVolumes(nodeDirectory: string, path: string): Promise<void> {
  mkdirSync(nodeDirectory, { recursive: true })
  await tar([
    '--extract',
    '--xattrs',
    '--same-owner',
    '--preserve-permissions',
    '--file',
    path,
    '--directory',
    nodeDirectory,
  ])
}

function tar(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('tar', ['--numeric-owner', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.once('error', (error) => reject(new Error(`GNU tar is needed for volumes: ${error.message}`)))
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`tar: ${said.trim()}`))))
  })
}
