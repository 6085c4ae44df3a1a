import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pod, Secret } from '../../api/generated/types.ts'
import { systemClock } from '../../client/clock.ts'
import type { Live } from '../../client/types.ts'
import { writeArchive } from '../../node-agent/images/oci/write-archive.ts'
import { ImagePuller } from '../../node-agent/images/puller.ts'
import { openRuntime, type Runtime, type RuntimeKind } from '../../node-agent/runtime/index.ts'
import { busyboxImage, busyboxPath, silent } from '../../node-agent/runtime/testing.ts'
import { until } from '../support/until.ts'

const isRoot = process.getuid?.() === 0
const hasRegistry = existsSync('/usr/bin/docker-registry') && existsSync('/usr/bin/skopeo') && existsSync(busyboxPath)
const kinds: RuntimeKind[] = isRoot && existsSync('/usr/bin/containerd') ? ['process', 'containerd'] : ['process']
/** bcrypt, as the registry wants it, of this password. */
const password = 'open sesame'
const htpasswd = 'ali:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n'

describe.runIf(hasRegistry)('a real registry', () => {
  let directory: string
  let open: Registry
  let closed: Registry

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-registry-'))
    const archive = join(directory, 'busybox.tar')
    await writeArchive([await busyboxImage('localhost/busybox:1')], createWriteStream(archive))
    open = await startRegistry(join(directory, 'open'))
    closed = await startRegistry(join(directory, 'closed'), htpasswd)
    const copy = ['copy', '--insecure-policy', '--dest-tls-verify=false', '-q', `oci-archive:${archive}`]
    execFileSync('skopeo', [...copy, `docker://${open.host}/team/busybox:1`])
    execFileSync('skopeo', [...copy, '--dest-creds', `ali:${password}`, `docker://${closed.host}/team/busybox:1`])
  })
  afterAll(() => {
    for (const registry of [open, closed]) registry?.child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })

  describe.each(kinds)('for the %s runtime', (kind) => {
    let runtime: Runtime
    let puller: ImagePuller
    const said: string[] = []

    beforeAll(async () => {
      const signal = new AbortController().signal
      const dataDir = join(directory, kind)
      const cniConfDir = join(directory, `${kind}.net.d`)
      mkdirSync(cniConfDir)
      runtime = await openRuntime({
        kind,
        dataDir,
        nodeName: 'n',
        cniConfDir,
        cniBinDir: '/usr/lib/cni',
        signal,
        log: silent,
      })
      const event = (_about: object, _type: string, reason: string, message: string) => {
        said.push(`${reason}: ${message}`)
      }
      puller = new ImagePuller({ cri: runtime.cri, events: { event }, clock: systemClock })
    })
    afterAll(() => runtime?.stop())

    const pod = (uid: string) =>
      ({ metadata: { name: 'web', namespace: 'default', uid }, spec: { containers: [] } }) as unknown as Live<Pod>
    const container = (image: string, imagePullPolicy = 'IfNotPresent') => ({ name: 'app', image, imagePullPolicy })

    it('gives its images to anybody', async () => {
      const image = `${open.host}/team/busybox:1`
      const pulled = await puller.ensure(pod('a'), container(image), [])
      expect(pulled.imageRef).toMatch(/^sha256:[0-9a-f]{64}$/)
      expect((await runtime.cri.imageStatus({ image })).image?.id).toBe(pulled.imageRef)
      expect(said.some((line) => line.startsWith('Pulled: Successfully pulled image'))).toBe(true)
    })

    it('says that it has no such image, and is not asked again at once', async () => {
      const image = `${open.host}/team/nothing:1`
      await expect(puller.ensure(pod('b'), container(image), [])).rejects.toMatchObject({
        reason: 'ErrImagePull',
        message: expect.stringContaining('not found') as string,
      })
      await expect(puller.ensure(pod('b'), container(image), [])).rejects.toMatchObject({
        reason: 'ImagePullBackOff',
        message: expect.stringMatching(`^Back-off pulling image "${image}": ErrImagePull: .*not found`) as string,
      })
    })

    it('gives them only to those who know the password', async () => {
      const image = `${closed.host}/team/busybox:1`
      await expect(puller.ensure(pod('c'), container(image), [])).rejects.toMatchObject({ reason: 'ErrImagePull' })
      const wrong = secret(closed.host, 'ali:no')
      const right = secret(closed.host, `ali:${password}`)
      await expect(puller.ensure(pod('d'), container(image), [wrong])).rejects.toMatchObject({ reason: 'ErrImagePull' })
      await puller.ensure(pod('e'), container(image), [wrong, right])
      expect((await runtime.cri.imageStatus({ image })).image).not.toBeNull()
    })
  })
})

const secret = (host: string, login: string): Secret => ({
  type: 'kubernetes.io/dockerconfigjson',
  data: {
    '.dockerconfigjson': Buffer.from(
      JSON.stringify({ auths: { [host]: { auth: Buffer.from(login).toString('base64') } } }),
    ).toString('base64'),
  },
})

interface Registry {
  host: string
  child: ChildProcess
}

async function startRegistry(directory: string, users?: string): Promise<Registry> {
  mkdirSync(directory)
  const host = `127.0.0.1:${await freePort()}`
  const config = [
    'version: 0.1',
    'log: {level: error}',
    `storage: {filesystem: {rootdirectory: ${directory}/data}}`,
    `http: {addr: "${host}"}`,
    ...(users === undefined ? [] : [`auth: {htpasswd: {realm: test, path: ${directory}/users}}`]),
  ]
  writeFileSync(join(directory, 'config.yml'), config.join('\n'))
  if (users !== undefined) writeFileSync(join(directory, 'users'), users)
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' })
  await until(async () => [200, 401].includes((await fetch(`http://${host}/v2/`)).status))
  return { host, child }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
