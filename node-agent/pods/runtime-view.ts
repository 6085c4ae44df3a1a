import type { ResourceRequirements } from '../../api/generated/types.ts'
import {
  containerNameLabel,
  hashAnnotation,
  messagePathAnnotation,
  messagePolicyAnnotation,
  podNameLabel,
  podNamespaceLabel,
  podUidLabel,
  resourcesAnnotation,
  restartCountAnnotation,
} from '../containers/labels.ts'
import type { Container, ContainerStatus, Cri, PodSandbox } from '../runtime/cri.ts'
import { CriError } from '../runtime/cri.ts'
import type { ObservedContainer, ObservedPod, ObservedSandbox } from './observed.ts'
import { omitUndefined } from './omit.ts'

export interface ExitFacts {
  podUid: string
  name: string
  restartCount: number
  exitCode: number
  logPath: string
  messagePath: string
  messagePolicy: string
}

type SandboxFacts = Pick<ObservedSandbox, 'ips' | 'hostNetwork'>

const states = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
} as const

/**
 * What the runtime has, by pod. Two lists tell what is new; the details of a container in one state, and of a sandbox that
 * is ready, never change and are asked for once.
 */
export class RuntimeView {
  readonly #cri: Cri
  readonly #lastWords: (facts: ExitFacts) => Promise<string>
  readonly #containers = new Map<string, { state: string; seen: ObservedContainer }>()
  readonly #sandboxes = new Map<string, SandboxFacts>()
  /** The pod of every sandbox and container met. */
  readonly #owners = new Map<string, string>()

  /** `lastWords` reads what an ended container has left as its message. */
  constructor(cri: Cri, lastWords: (facts: ExitFacts) => Promise<string>) {
    this.#cri = cri
    this.#lastWords = lastWords
  }

  /** Whose the sandbox or container is, if it was met before. */
  ownerOf(id: string): string | undefined {
    return this.#owners.get(id)
  }

  learn(id: string, podUid: string): void {
    this.#owners.set(id, podUid)
  }

  /** The container is being changed: what is known of it must be asked for again. */
  forget(id: string): void {
    this.#containers.delete(id)
  }

  /** The pod as the runtime has it at this moment. */
  async observe(of: { uid: string; name: string; namespace: string }): Promise<ObservedPod> {
    const labelSelector = { [podUidLabel]: of.uid }
    const [sandboxes, containers] = await Promise.all([
      this.#cri.listPodSandbox({ labelSelector }),
      this.#cri.listContainers({ labelSelector }),
    ])
    return this.#assemble(of, sandboxes, containers)
  }

  /** All pods the runtime has something of, and what changes when something happens to one of them. */
  async listAll(): Promise<
    Map<string, { pod: { uid: string; name: string; namespace: string }; fingerprint: string }>
  > {
    const [sandboxes, containers] = await Promise.all([this.#cri.listPodSandbox(), this.#cri.listContainers()])
    const pods = new Map<string, { pod: { uid: string; name: string; namespace: string }; parts: string[] }>()
    const known = new Set<string>()
    for (const { id, labels, state } of [...sandboxes, ...containers]) {
      const uid = labels[podUidLabel]
      if (uid === undefined) continue
      known.add(id)
      this.#owners.set(id, uid)
      const pod = { uid, name: labels[podNameLabel] ?? '', namespace: labels[podNamespaceLabel] ?? '' }
      const entry = pods.get(uid) ?? { pod, parts: [] }
      entry.parts.push(`${id}=${state}`)
      pods.set(uid, entry)
    }
    this.#forgetAllBut(known)
    return new Map([...pods].map(([uid, { pod, parts }]) => [uid, { pod, fingerprint: parts.sort().join() }]))
  }

  #forgetAllBut(known: ReadonlySet<string>): void {
    for (const map of [this.#containers, this.#sandboxes, this.#owners]) {
      for (const id of map.keys()) if (!known.has(id)) map.delete(id)
    }
  }

  async #assemble(
    { uid, name, namespace }: { uid: string; name: string; namespace: string },
    sandboxes: readonly PodSandbox[],
    containers: readonly Container[],
  ): Promise<ObservedPod> {
    const [seenSandboxes, seenContainers] = await Promise.all([
      Promise.all(sandboxes.map((sandbox) => this.#seeSandbox(sandbox, uid))),
      Promise.all(containers.map((container) => this.#seeContainer(container, uid))),
    ])
    return {
      uid,
      name,
      namespace,
      sandboxes: seenSandboxes.sort((a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt),
      containers: seenContainers
        .filter((container) => container !== undefined)
        .sort((a, b) => b.createdAt - a.createdAt || b.restartCount - a.restartCount),
    }
  }

  /** The addresses of a sandbox and how it is networked. */
  sandbox(id: string): Promise<SandboxFacts> {
    const known = this.#sandboxes.get(id)
    return known ? Promise.resolve(known) : this.#sandboxFacts(id)
  }

  async #seeSandbox({ id, metadata, state, createdAt }: PodSandbox, uid: string): Promise<ObservedSandbox> {
    this.#owners.set(id, uid)
    const ready = state === 'SANDBOX_READY'
    const facts = await this.sandbox(id)
    return { id, attempt: metadata.attempt, ready, createdAt: createdAt / 1e6, ...facts }
  }

  async #sandboxFacts(id: string): Promise<SandboxFacts> {
    const answer = await this.#cri.podSandboxStatus(id).catch(ignoreNotFound)
    if (!answer) return { ips: [], hostNetwork: false }
    const { network, linux } = answer.status
    const ips = [network?.ip ?? '', ...(network?.additionalIps ?? []).map(({ ip }) => ip)].filter((ip) => ip !== '')
    const facts = { ips, hostNetwork: linux?.namespaces?.options?.network === 'NODE' }
    if (ips.length > 0 || facts.hostNetwork) this.#sandboxes.set(id, facts)
    return facts
  }

  async #seeContainer(listed: Container, uid: string): Promise<ObservedContainer | undefined> {
    this.#owners.set(listed.id, uid)
    const known = this.#containers.get(listed.id)
    if (known?.state === listed.state) return known.seen
    const answer = await this.#cri.containerStatus(listed.id).catch(ignoreNotFound)
    if (!answer) return undefined
    const seen = await this.#describe(listed, answer.status, uid)
    // It may have gone on since it was listed.
    if (answer.status.state === listed.state) this.#containers.set(listed.id, { state: listed.state, seen })
    return seen
  }

  async #describe(listed: Container, status: ContainerStatus, uid: string): Promise<ObservedContainer> {
    const { annotations } = listed
    const name = listed.labels[containerNameLabel] ?? status.metadata.name
    const restartCount = Number(annotations[restartCountAnnotation] ?? status.metadata.attempt)
    const state = states[status.state] ?? 'unknown'
    const { exitCode, logPath } = status
    const words =
      state === 'exited'
        ? await this.#lastWords({
            podUid: uid,
            name,
            restartCount,
            exitCode,
            logPath,
            messagePath: annotations[messagePathAnnotation] ?? '',
            messagePolicy: annotations[messagePolicyAnnotation] ?? 'File',
          })
        : ''
    return omitUndefined<ObservedContainer>({
      id: listed.id,
      name,
      sandboxId: listed.podSandboxId,
      state,
      createdAt: status.createdAt / 1e6,
      startedAt: status.startedAt / 1e6,
      finishedAt: status.finishedAt / 1e6,
      exitCode,
      reason: status.reason,
      message: [status.message, words].filter((text) => text !== '').join(': '),
      image: status.image.image,
      imageId: status.imageRef,
      restartCount,
      hash: annotations[hashAnnotation] ?? '',
      logPath,
      user: status.user?.linux ?? undefined,
      resources: status.resources?.linux ?? undefined,
      madeWith: readResources(annotations[resourcesAnnotation]),
    })
  }
}

function readResources(text: string | undefined): ResourceRequirements | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as ResourceRequirements
  } catch {
    // Not of our making.
    return undefined
  }
}

function ignoreNotFound(error: unknown): undefined {
  if (error instanceof CriError && error.code === 'notFound') return undefined
  throw error
}
