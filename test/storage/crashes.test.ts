import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { devicesOf } from '../../node-agent/csi/drivers/loop-devices.ts'
import { hasLoop, testDirectory } from '../../node-agent/csi/testing/drivers.ts'
import { mountPointsBelow } from '../../node-agent/volumes/mount-points.ts'
import { until } from '../support/until.ts'

let tools: ReturnType<typeof testDirectory>
let program: string

beforeAll(() => {
  tools = testDirectory('crashes')
  program = join(tools.path, 'crash-program.mjs')
  buildSync({
    entryPoints: [fileURLToPath(new URL('../../node-agent/csi/testing/crash-program.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    loader: { '.proto': 'text' },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('/');" },
    logLevel: 'error',
  })
  for (const name of ['mkfs.ext4', 'mount', 'umount']) deadly(name)
})

afterAll(() => tools.remove())

/** A program in the place of another one, which ends who calls it, before or after its work, if it is that one's turn. */
function deadly(name: string): void {
  const path = join(tools.path, 'bin', name)
  mkdirSync(join(tools.path, 'bin'), { recursive: true })
  const script = `#!/bin/sh
PATH=\${PATH#*:}
echo >> "$TURNS"
turn=$(wc -l < "$TURNS")
if [ "$turn before" = "$KILL_AT" ]; then kill -9 $PPID; exit 1; fi
${name} "$@"
code=$?
if [ "$turn after" = "$KILL_AT" ]; then kill -9 $PPID; fi
exit $code
`
  writeFileSync(path, script)
  chmodSync(path, 0o755)
}

async function run(args: string[], killAt = ''): Promise<NodeJS.Signals | number | null> {
  const env = {
    ...process.env,
    PATH: `${join(tools.path, 'bin')}:${process.env.PATH}`,
    TURNS: join(args[1] ?? '', 'turns'),
    KILL_AT: killAt,
  }
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env })
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return signal ?? code
}

const loop = 'loop.gantry.dev'
const all = 'create,mount,unmount,delete'
const copying = 'create,mount,snapshot,restore,unmount,forget,delete'

/** Nothing of the volume is left on the machine. */
async function expectNothingLeft(directory: string, driver: string): Promise<void> {
  expect(await mountPointsBelow(directory)).toEqual([])
  expect(await devicesOf(join(directory, 'plugins', driver, 'volumes/disk/image'))).toEqual([])
  expect(await devicesOf(join(directory, 'plugins', driver, 'volumes/.old-disk/image'))).toEqual([])
  const volumes = join(directory, 'plugins', driver, 'volumes')
  const snapshots = join(directory, 'plugins', driver, 'snapshots')
  for (const place of [volumes, snapshots]) expect(existsSync(place) ? readdirSync(place) : []).toEqual([])
  expect(existsSync(join(directory, 'pods/uid-web/volumes/kubernetes.io~csi/pv-disk/vol_data.json'))).toBe(false)
}

describe.runIf(hasLoop).each([
  { driver: 'loop.gantry.dev', calls: 6 },
  { driver: 'local-path.gantry.dev', calls: 4 },
])('an agent that is killed with a volume of $driver', ({ driver, calls }) => {
  const turns = Array.from({ length: calls }, (_, i) => i + 1)

  it.each(turns)('before call %i does all again and leaves nothing behind', async (call) => {
    await inDirectory(async (directory) => {
      expect(await run([driver, directory, all, String(call), 'before'])).toBe('SIGKILL')
      expect(await run([driver, directory, all])).toBe(0)
      await expectNothingLeft(directory, driver)
    })
  })

  it.each(turns)('after call %i can be followed by one that only takes away', async (call) => {
    await inDirectory(async (directory) => {
      expect(await run([driver, directory, all, String(call), 'after'])).toBe('SIGKILL')
      expect(await run([driver, directory, 'unmount,delete'])).toBe(0)
      await expectNothingLeft(directory, driver)
    })
  })
})

describe.runIf(hasLoop).each([
  { driver: 'loop.gantry.dev', from: 4 },
  { driver: 'local-path.gantry.dev', from: 3 },
])('an agent that is killed with a snapshot of a volume of $driver', ({ driver, from }) => {
  // Those of the snapshot, and of the volume made of it.
  const turns = [from, from + 1].flatMap((call) => [
    [call, 'before'],
    [call, 'after'],
  ])

  it.each(turns)('at call %i, %s it, does all again and leaves nothing behind', async (call, when) => {
    await inDirectory(async (directory) => {
      expect(await run([driver, directory, copying, String(call), String(when)])).toBe('SIGKILL')
      expect(await run([driver, directory, copying])).toBe(0)
      await expectNothingLeft(directory, driver)
    })
  })
})

it('an agent that is killed while it copies leaves nobody copying', async () => {
  await inDirectory(async (directory) => {
    const driver = 'local-path.gantry.dev'
    expect(await run([driver, directory, 'create'])).toBe(0)
    const pidFile = join(directory, 'copier')
    const cp = join(tools.path, 'bin/cp')
    writeFileSync(cp, `#!/bin/sh\necho $$ > ${pidFile}\nkill -9 $PPID\nexec sleep 1000\n`, { mode: 0o755 })
    expect(await run([driver, directory, 'snapshot'])).toBe('SIGKILL')
    rmSync(cp)
    const copier = readFileSync(pidFile, 'utf8').trim()
    await until(() => !existsSync(`/proc/${copier}`), { message: 'who copied has gone' })
    expect(await run([driver, directory, 'snapshot,restore,forget,delete'])).toBe(0)
    await expectNothingLeft(directory, driver)
  })
})

describe.runIf(hasLoop)('an agent that is killed with a loop volume', () => {
  const turns = [1, 2, 3, 4, 5].flatMap((turn) => [`${turn} before`, `${turn} after`])

  it.each(turns)('at its program number %s leaves nothing behind and loses nothing', async (killAt) => {
    await inDirectory(async (directory) => {
      expect(await run([loop, directory, 'create,mount,unmount'], killAt)).toBe('SIGKILL')
      expect(await run([loop, directory, 'create,mount'])).toBe(0)
      const note = join(directory, 'pods/uid-web/volumes/kubernetes.io~csi/pv-disk/mount/note')
      expect(readFileSync(note, 'utf8')).toBe('kept')
      expect(await run([loop, directory, 'unmount,delete'])).toBe(0)
      await expectNothingLeft(directory, loop)
    })
  })
})

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = testDirectory('crash')
  try {
    await work(directory.path)
  } finally {
    await directory.remove()
  }
}
