import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ContainerConfig, ContainerStatus, Given, PodSandboxConfig } from './cri.ts'
import type { Runtime, RuntimeEvent } from './index.ts'

/** What a runtime under test is. */
export interface Subject {
  runtime: Runtime
  /** An image with a shell, present already. */
  image: string
  /** Ends the agent's side as a crash would, and comes back. */
  reopen(): Promise<Runtime>
  /** Frees everything. */
  dispose(): Promise<void>
}

/** What every runtime promises the agent. `runs`: its containers are processes; a hollow runtime's are not. */
export function runtimeContract(name: string, options: { runs: boolean }, open: () => Promise<Subject>): void {
  describe(`the ${name} runtime`, () => {
    let subject: Subject
    let logs: string
    let count = 0
    const cri = () => subject.runtime.cri
    const withProcesses = it.runIf(options.runs)

    beforeAll(async () => {
      logs = mkdtempSync(join(tmpdir(), 'gantry-logs-'))
      subject = await open()
    }, 60_000)
    afterAll(async () => {
      await subject?.dispose()
      rmSync(logs, { recursive: true, force: true })
    }, 60_000)

    const sandboxConfig = (uid = `uid-${count++}`): Given<PodSandboxConfig> => ({
      metadata: { name: 'web', namespace: 'shop', uid, attempt: 0 },
      hostname: 'web',
      logDirectory: join(logs, uid),
      labels: { 'io.kubernetes.pod.uid': uid },
      annotations: { note: 'kept' },
      linux: { securityContext: { namespaceOptions: { pid: 'CONTAINER' } } },
    })
    const containerConfig = (script: string, more: Given<ContainerConfig> = {}): Given<ContainerConfig> => ({
      metadata: { name: 'app', attempt: 0 },
      image: { image: subject.image },
      command: ['sh', '-c', script],
      labels: { 'io.kubernetes.container.name': 'app' },
      logPath: 'app/0.log',
      linux: { securityContext: { namespaceOptions: { pid: 'CONTAINER' } } },
      ...more,
    })
    const inSandbox = async (work: (sandboxId: string, config: Given<PodSandboxConfig>) => Promise<void>) => {
      const config = sandboxConfig()
      const id = await cri().runPodSandbox({ config })
      try {
        await work(id, config)
      } finally {
        await cri().stopPodSandbox(id)
        await cri().removePodSandbox(id)
      }
    }
    const start = async (
      sandboxId: string,
      config: Given<PodSandboxConfig>,
      script: string,
      more: Given<ContainerConfig> = {},
    ) => {
      const request = { podSandboxId: sandboxId, config: containerConfig(script, more), sandboxConfig: config }
      const id = await cri().createContainer(request)
      await cri().startContainer(id)
      return id
    }
    const ended = async (id: string): Promise<ContainerStatus> => {
      await until(async () => (await cri().containerStatus(id)).status.state === 'CONTAINER_EXITED')
      return (await cri().containerStatus(id)).status
    }
    const logOf = async (id: string) => {
      const { logPath } = (await cri().containerStatus(id)).status
      return existsSync(logPath) ? readFileSync(logPath, 'utf8') : ''
    }

    it('says who it is, and that it is ready', async () => {
      expect(subject.runtime.version).toMatch(/^v?\d+\.\d+/)
      const { status } = await cri().status()
      const conditions = Object.fromEntries(status!.conditions.map(({ type, status }) => [type, status]))
      expect(conditions).toMatchObject({ RuntimeReady: true, NetworkReady: true })
    })

    it('runs, lists, stops and removes a sandbox', async () => {
      const config = sandboxConfig()
      const id = await cri().runPodSandbox({ config })
      const { status } = await cri().podSandboxStatus(id)
      expect(status).toMatchObject({
        id,
        state: 'SANDBOX_READY',
        metadata: config.metadata,
        annotations: { note: 'kept' },
      })
      expect(status.network?.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
      expect(status.createdAt / 1e6).toBeGreaterThan(Date.now() - 60_000)
      const uid = config.metadata!.uid!
      const labelSelector = { 'io.kubernetes.pod.uid': uid }
      expect((await cri().listPodSandbox({ labelSelector })).map(({ id }) => id)).toEqual([id])
      expect(await cri().listPodSandbox({ labelSelector, state: 'SANDBOX_NOTREADY' })).toEqual([])
      await cri().stopPodSandbox(id)
      await cri().stopPodSandbox(id)
      expect((await cri().podSandboxStatus(id)).status.state).toBe('SANDBOX_NOTREADY')
      await cri().removePodSandbox(id)
      await cri().removePodSandbox(id)
      await expect(cri().podSandboxStatus(id)).rejects.toMatchObject({ code: 'notFound' })
      expect(await cri().listPodSandbox({ labelSelector })).toEqual([])
    })

    it('gives pods that run at once different addresses', async () => {
      const ids = await Promise.all([1, 2, 3].map(() => cri().runPodSandbox({ config: sandboxConfig() })))
      const statuses = await Promise.all(ids.map((id) => cri().podSandboxStatus(id)))
      expect(new Set(statuses.map(({ status }) => status.network?.ip)).size).toBe(3)
      await Promise.all(ids.map((id) => cri().stopPodSandbox(id)))
      await Promise.all(ids.map((id) => cri().removePodSandbox(id)))
    })

    it('runs a container and tells its states', async () => {
      await inSandbox(async (sandboxId, config) => {
        const request = {
          podSandboxId: sandboxId,
          config: containerConfig('sleep 100', { annotations: { hash: 'abc' } }),
          sandboxConfig: config,
        }
        const id = await cri().createContainer(request)
        expect((await cri().containerStatus(id)).status).toMatchObject({ state: 'CONTAINER_CREATED', startedAt: 0 })
        await cri().startContainer(id)
        const { status } = await cri().containerStatus(id)
        expect(status).toMatchObject({ id, state: 'CONTAINER_RUNNING', annotations: { hash: 'abc' }, finishedAt: 0 })
        expect(status.startedAt).toBeGreaterThanOrEqual(status.createdAt)
        const [listed] = await cri().listContainers({ podSandboxId: sandboxId })
        expect(listed).toMatchObject({ id, podSandboxId: sandboxId, state: 'CONTAINER_RUNNING' })
        expect(await cri().listContainers({ podSandboxId: sandboxId, state: 'CONTAINER_EXITED' })).toEqual([])
        await cri().stopContainer(id, 0)
        expect(await ended(id)).toMatchObject({ exitCode: 137, reason: 'Error' })
        await cri().removeContainer(id)
        await cri().removeContainer(id)
        await expect(cri().containerStatus(id)).rejects.toMatchObject({ code: 'notFound' })
      })
    })

    withProcesses.each([
      ['sleep 0.1; exit 0', 0, 'Completed'],
      ['sleep 0.1; exit 3', 3, 'Error'],
    ])('tells how %s ended', async (script, exitCode, reason) => {
      await inSandbox(async (sandboxId, config) => {
        const status = await ended(await start(sandboxId, config, script))
        expect(status).toMatchObject({ exitCode, reason })
        expect(status.finishedAt).toBeGreaterThanOrEqual(status.startedAt)
      })
    })

    withProcesses('lets a container end by itself, and kills one that does not', async () => {
      await inSandbox(async (sandboxId, config) => {
        const polite = await start(sandboxId, config, 'trap "exit 7" TERM; while :; do sleep 0.05; done')
        await new Promise((resolve) => setTimeout(resolve, 200))
        // A month is longer than a timer can take.
        await cri().stopContainer(polite, 30 * 24 * 3600)
        expect((await cri().containerStatus(polite)).status.exitCode).toBe(7)
        const metadata = { name: 'app', attempt: 1 }
        const stubborn = await start(sandboxId, config, 'trap "" TERM; while :; do sleep 0.05; done', { metadata })
        await new Promise((resolve) => setTimeout(resolve, 200))
        const before = Date.now()
        await cri().stopContainer(stubborn, 1)
        expect(Date.now() - before).toBeGreaterThan(900)
        expect((await cri().containerStatus(stubborn)).status.exitCode).toBe(137)
      })
    })

    withProcesses('writes the log in the published format, and to a new file when asked', async () => {
      await inSandbox(async (sandboxId, config) => {
        const script = 'echo one; echo two >&2; sleep 0.1; while :; do echo more; sleep 0.05; done'
        const id = await start(sandboxId, config, script)
        await until(async () => (await logOf(id)).includes('more'))
        const lines = (await logOf(id)).split('\n')
        expect(lines.some((line) => /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d) stdout F one$/.test(line))).toBe(true)
        expect(lines.some((line) => / stderr F two$/.test(line))).toBe(true)
        const { logPath } = (await cri().containerStatus(id)).status
        renameSync(logPath, `${logPath}.1`)
        await cri().reopenContainerLog(id)
        await until(async () => (await logOf(id)).includes('more'))
        expect(await logOf(id)).not.toContain('one')
      })
    })

    withProcesses('gives a container its environment, directory and mounts', async () => {
      const volume = mkdtempSync(join(tmpdir(), 'gantry-volume-'))
      await inSandbox(async (sandboxId, config) => {
        const script = 'echo "$COLOUR in $(pwd)"; echo written > /data/file; cat /data/file'
        const id = await start(sandboxId, config, script, {
          envs: [{ key: 'COLOUR', value: 'blue' }],
          workingDir: '/tmp',
          mounts: [{ containerPath: '/data', hostPath: volume }],
        })
        expect((await ended(id)).exitCode).toBe(0)
        expect(await logOf(id)).toMatch(/blue in .*\/tmp/)
        expect(readFileSync(join(volume, 'file'), 'utf8')).toBe('written\n')
      })
      rmSync(volume, { recursive: true })
    })

    withProcesses('runs a command in a container, within its time', async () => {
      await inSandbox(async (sandboxId, config) => {
        const id = await start(sandboxId, config, 'sleep 100', { envs: [{ key: 'COLOUR', value: 'red' }] })
        const answer = await cri().execSync(id, ['sh', '-c', 'echo $COLOUR; echo bad >&2; exit 4'], 10)
        expect(answer.exitCode).toBe(4)
        expect(Buffer.from(answer.stdout).toString()).toBe('red\n')
        expect(Buffer.from(answer.stderr).toString()).toBe('bad\n')
        await expect(cri().execSync(id, ['sleep', '30'], 1)).rejects.toMatchObject({ code: 'deadlineExceeded' })
      })
    })

    withProcesses('says why a command cannot be started', async () => {
      await inSandbox(async (sandboxId, config) => {
        const request = {
          podSandboxId: sandboxId,
          sandboxConfig: config,
          config: containerConfig('', { command: ['nope'] }),
        }
        const id = await cri().createContainer(request)
        await expect(cri().startContainer(id)).rejects.toThrow('executable file not found in $PATH')
        expect((await cri().containerStatus(id)).status).toMatchObject({ state: 'CONTAINER_EXITED', exitCode: 128 })
      })
    })

    it('tells what happens as it happens', async () => {
      const stop = new AbortController()
      const heard: RuntimeEvent[] = []
      const listening = (async () => {
        for await (const event of subject.runtime.events(stop.signal)) heard.push(event)
      })()
      await new Promise((resolve) => setTimeout(resolve, 200))
      await inSandbox(async (sandboxId, config) => {
        const id = await start(sandboxId, config, 'sleep 100')
        await cri().stopContainer(id, 0)
        await until(async () => heard.some(({ containerId, type }) => containerId === id && type === 'exited'))
        const own = heard.filter(({ containerId }) => containerId === id)
        expect(own.map(({ type }) => type).filter((type) => type !== 'deleted')).toEqual(['started', 'exited'])
        expect(own.every((event) => event.sandboxId === sandboxId)).toBe(true)
      })
      stop.abort()
      await listening
    })

    it('keeps everything running over a restart of the agent', async () => {
      await inSandbox(async (sandboxId, config) => {
        const script = 'n=0; while :; do n=$((n+1)); echo "tick $n"; sleep 0.1; done'
        const id = await start(sandboxId, config, script)
        const before = (await cri().containerStatus(id)).status
        subject.runtime = await subject.reopen()
        await until(async () => (await cri().containerStatus(id)).status.state === 'CONTAINER_RUNNING')
        const after = (await cri().containerStatus(id)).status
        expect(after.startedAt).toBe(before.startedAt)
        expect((await cri().podSandboxStatus(sandboxId)).status.state).toBe('SANDBOX_READY')
        if (options.runs) {
          const lines = (await logOf(id)).split('\n').length
          await until(async () => (await logOf(id)).split('\n').length > lines)
          const ticks = [...(await logOf(id)).matchAll(/tick (\d+)/g)].map(([, n]) => Number(n))
          expect(ticks).toEqual(ticks.map((_, i) => i + 1))
        }
        await cri().stopContainer(id, 0)
        expect((await ended(id)).exitCode).toBe(137)
      })
    })

    it('knows its images', async () => {
      expect((await cri().imageStatus({ image: 'no/such:image' })).image).toBeNull()
      const { image } = await cri().imageStatus({ image: subject.image })
      expect(image?.id).toMatch(/^sha256:[0-9a-f]{64}$/)
      expect(image?.size).toBeGreaterThan(0)
      expect((await cri().listImages()).map(({ id }) => id)).toContain(image?.id)
      const [usage] = (await cri().imageFsInfo()).imageFilesystems
      expect(usage?.fsId?.mountpoint).toMatch(/^\//)
    })

    it('measures what containers use', async () => {
      await inSandbox(async (sandboxId, config) => {
        const id = await start(sandboxId, config, 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 100')
        await until(async () => {
          const stats = await cri().containerStats(id)
          return (stats?.cpu?.usageCoreNanoSeconds?.value ?? 0) > 0 && (stats?.memory?.workingSetBytes?.value ?? 0) > 0
        })
        const all = await cri().listContainerStats({ podSandboxId: sandboxId })
        expect(all.map(({ attributes }) => attributes.id)).toEqual([id])
      })
    })
  })
}

/** Waits until it holds; throws when it does not come to hold. */
export async function until(holds: () => Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it did not come about within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
