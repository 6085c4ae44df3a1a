import { execFileSync } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { readArchive } from '../../node-agent/images/oci/read-archive.ts'
import { writeArchive } from '../../node-agent/images/oci/write-archive.ts'
import { openRuntime, type Runtime, type RuntimeKind } from '../../node-agent/runtime/index.ts'
import { busyboxImage, busyboxPath, silent } from '../../node-agent/runtime/testing.ts'
import { buildImage } from './build.ts'
import { image } from './main.ts'
import { buildNodeImage } from './node-image.ts'
import { type ImageTarget, openTarget } from './targets.ts'

const isRoot = process.getuid?.() === 0
const kinds: RuntimeKind[] = isRoot && existsSync('/usr/bin/containerd') ? ['process', 'containerd'] : ['process']
const base = 'localhost/test/base:1'

describe.runIf(existsSync(busyboxPath)).each(kinds)('images on the %s runtime', (kind) => {
  let directory: string
  let runtime: Runtime
  let target: ImageTarget
  const path = (name: string) => join(directory, name)

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-images-'))
    mkdirSync(path('net.d'))
    const signal = new AbortController().signal
    runtime = await openRuntime({
      kind,
      dataDir: path('runtime'),
      nodeName: 'n1',
      cniConfDir: path('net.d'),
      cniBinDir: '/usr/lib/cni',
      signal,
      log: silent,
    })
    target = await openTarget('n1', path('runtime'), kind)
    await target.load(await busyboxImage(base))
  })
  afterAll(async () => {
    target?.close()
    await runtime?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  /** What a command in a container of the image prints. */
  const run = async (image: string, command: string[] = []) => {
    const namespaceOptions = { network: 'NODE', pid: 'CONTAINER' } as const
    const uid = `uid-${Math.random()}`
    const config = {
      metadata: { name: 'p', namespace: 'd', uid, attempt: 0 },
      logDirectory: path('logs'),
      linux: { securityContext: { namespaceOptions } },
    }
    const sandboxId = await runtime.cri.runPodSandbox({ config })
    try {
      const id = await runtime.cri.createContainer({
        podSandboxId: sandboxId,
        sandboxConfig: config,
        config: {
          metadata: { name: 'c', attempt: 0 },
          image: { image },
          command,
          logPath: `${uid}.log`,
          linux: { securityContext: { namespaceOptions } },
        },
      })
      await runtime.cri.startContainer(id)
      for (;;) {
        const { state, exitCode } = (await runtime.cri.containerStatus(id)).status
        if (state === 'CONTAINER_EXITED') {
          const text = readFileSync(path(`logs/${uid}.log`), 'utf8').replace(/^\S+ \S+ F /gm, '')
          return { exitCode, text }
        }
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    } finally {
      await runtime.cri.stopPodSandbox(sandboxId)
      await runtime.cri.removePodSandbox(sandboxId)
    }
  }
  const listed = async () => (await target.list()).flatMap(({ names }) => names)
  const present = async (name: string) => {
    for (let tries = 0; !(await listed()).includes(name) && tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(await listed()).toContain(name)
  }

  it('builds by a Containerfile, and runs what it has built', async () => {
    const context = path('context')
    mkdirSync(join(context, 'site'), { recursive: true })
    writeFileSync(join(context, 'site/index.html'), 'hello from the site\n')
    writeFileSync(join(context, 'start.sh'), '#!/bin/sh\necho "$GREETING"; cat made site/index.html; cat "$1"\n', {
      mode: 0o755,
    })
    writeFileSync(join(context, 'last.txt'), 'the end\n')
    writeFileSync(
      join(context, 'Containerfile'),
      `FROM ${base}
WORKDIR /srv
ENV WORD=world GREETING="good day"
COPY site site
COPY start.sh *.txt ./
RUN echo "made by $WORD" > made && rm -f /tmp/.keep
EXPOSE 8080
ENTRYPOINT ["sh", "/srv/start.sh"]
CMD ["/srv/last.txt"]
`,
    )
    const steps: string[] = []
    const name = 'localhost/test/built:1'
    mkdirSync(path('work'))
    const image = await buildImage({
      name,
      context,
      target,
      workDir: path('work'),
      step: (text) => steps.push(text),
      output() {},
    })
    expect(steps).toHaveLength(9)
    expect(image.parsed.config).toMatchObject({
      WorkingDir: '/srv',
      ExposedPorts: { '8080/tcp': {} },
      Entrypoint: ['sh', '/srv/start.sh'],
      Cmd: ['/srv/last.txt'],
    })
    await target.load(image)
    await present(name)
    expect(await run(name)).toEqual({ exitCode: 0, text: 'good day\nmade by world\nhello from the site\nthe end\n' })
  })

  it('says which step failed', async () => {
    const context = path('failing')
    mkdirSync(context)
    writeFileSync(join(context, 'Containerfile'), `FROM ${base}\nRUN echo no; exit 9\n`)
    mkdirSync(path('work2'))
    const options = { name: 'localhost/x:1', context, target, workDir: path('work2'), step() {}, output() {} }
    await expect(buildImage(options)).rejects.toThrow('line 2, RUN: the command ended with 9')
  })

  it('saves an image and loads it again', async () => {
    const image = await target.read(base)
    await writeArchive([image!], createWriteStream(path('saved.tar')))
    const archive = await readArchive(path('saved.tar'))
    expect(archive.images.map(({ names }) => names)).toEqual([[base]])
    archive.images[0]!.names = ['localhost/test/again:1']
    await target.load(archive.images[0]!)
    await archive.close()
    await present('localhost/test/again:1')
    expect((await run('localhost/test/again:1', ['sh', '-c', 'echo back'])).text).toBe('back\n')
    expect(await target.remove('localhost/test/again:1')).toBe(true)
    expect(await target.remove('localhost/test/again:1')).toBe(false)
  })

  it.runIf(existsSync('/usr/bin/skopeo'))('loads archives that other tools wrote, compressed or not', async () => {
    const image = await target.read(base)
    await writeArchive([image!], createWriteStream(path('oci.tar')))
    for (const form of ['docker-archive', 'oci-archive']) {
      const file = path(`${form}.tar`)
      const policy = ['--insecure-policy', 'copy', `oci-archive:${path('oci.tar')}`]
      execFileSync('skopeo', [...policy, `${form}:${file}:localhost/test/${form}:2`], { stdio: 'pipe' })
      execFileSync('gzip', [file])
      const archive = await readArchive(`${file}.gz`)
      const [loaded] = archive.images
      if (loaded!.names.length === 0) loaded!.names = [`localhost/test/${form}:2`]
      expect(loaded!.names).toEqual([`localhost/test/${form}:2`])
      await target.load(loaded!)
      await archive.close()
      await present(`localhost/test/${form}:2`)
      expect((await run(`localhost/test/${form}:2`, ['sh', '-c', 'echo ran'])).text).toBe('ran\n')
    }
  })

  it("makes an image of this machine's Node, and the second time at once", async () => {
    const app = path('app')
    mkdirSync(app)
    writeFileSync(join(app, 'server.js'), "console.log('node', process.version, process.cwd().endsWith('/app'))")
    const name = 'localhost/test/node-app:1'
    const options = { name, app, command: ['server.js'], ports: [8080], cacheDir: path('cache') }
    const image = await buildNodeImage({ ...options, withoutNode: kind === 'process' })
    const before = performance.now()
    const again = await buildNodeImage({ ...options, withoutNode: kind === 'process' })
    expect(performance.now() - before).toBeLessThan(300)
    expect(again.manifest.descriptor.digest).toBe(image.manifest.descriptor.digest)
    const loading = performance.now()
    await target.load(image)
    const loadMs = performance.now() - loading
    await present(name)
    expect((await run(name)).text).toBe(`node ${process.version} true\n`)
    expect(loadMs).toBeLessThan(10_000)
    process.stdout.write(`loaded in ${Math.round(loadMs)} ms\n`)
  })

  it('refuses what is no archive', async () => {
    writeFileSync(path('nonsense'), 'x'.repeat(2000))
    await expect(readArchive(path('nonsense'))).rejects.toThrow('the file is not a tar archive')
    execFileSync('tar', ['-cf', path('other.tar'), '-C', directory, 'nonsense'])
    await expect(readArchive(path('other.tar'))).rejects.toThrow('neither an OCI archive')
  })
})

it.each([[['/nothing/there.tar']], [['-i', '/nothing/there.tar']]])(
  'says that the file to load is not there: %j',
  async (words) => {
    const said: string[] = []
    const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0)
    try {
      expect(await image(['load', ...words])).toBe(1)
    } finally {
      write.mockRestore()
    }
    expect(said.join('')).toBe('gantry image: there is no file /nothing/there.tar\n')
  },
)
