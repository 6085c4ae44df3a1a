import type { ControllerRevision, PodTemplateSpec } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import type { Labels } from '../../api/machinery/labels.ts'
import { isAlreadyExists, isNotFound } from '../../client/errors.ts'
import type { Informer, InformerFactory } from '../../client/informer.ts'
import { controllerRevisions } from '../../client/resources.ts'
import type { Api, Live, ResourceRef } from '../../client/types.ts'
import { claim, controllerOf, type Owner } from '../pods/ownership.ts'
import { byNumber, planRevision, revisionObject } from './revisions.ts'

type Revision = Live<ControllerRevision>

export interface History {
  /** All, sorted; the newest last is that of the present template. */
  revisions: Revision[]
  update: Revision
  collisionCount: number
}

/** Keeps the revisions of StatefulSets and DaemonSets. */
export class RevisionKeeper {
  readonly #api: Api
  readonly #revisions: Informer<ControllerRevision>

  constructor(api: Api, informers: InformerFactory) {
    this.#api = api
    this.#revisions = informers.for<ControllerRevision>(controllerRevisions)
  }

  /**
   * Adopts orphans, and makes sure that the present template is the newest revision. Throws what the server answers.
   */
  async record(options: {
    owner: Owner
    ownerRef: ResourceRef<object>
    template: PodTemplateSpec
    matches: (labels: Labels) => boolean
    collisionCount: number
    /** The label of the revision's hash. */
    label: string
    signal: AbortSignal
  }): Promise<History> {
    const { owner, signal } = options
    const { namespace } = owner.metadata
    const candidates = this.#revisions.lister
      .list(namespace)
      .filter((revision) => options.matches(revision.metadata.labels ?? {}))
    const owned = await claim({
      api: this.#api,
      owner,
      ownerRef: options.ownerRef,
      matches: options.matches,
      candidates,
      candidateRef: controllerRevisions,
      signal,
    })
    // One that leaves adopts nothing, but its orphans are its history all the same.
    const orphans = candidates.filter((revision) => !controllerOf(revision) && !owned.includes(revision))
    const revisions = [...owned, ...orphans].sort(byNumber)
    const plan = planRevision(options.template, revisions)
    const { collisionCount } = options
    switch (plan.do) {
      case 'nothing':
        return { revisions, update: plan.revision, collisionCount }
      case 'renumber': {
        const renumbered = { ...plan.revision, revision: plan.number }
        const update = await this.#api.update<ControllerRevision>(controllerRevisions, renumbered, { signal })
        const others = revisions.filter((revision) => revision !== plan.revision)
        return { revisions: [...others, update], update, collisionCount }
      }
      case 'create': {
        const made = await this.#create(options, plan.number)
        const others = revisions.filter(({ metadata }) => metadata.name !== made.update.metadata.name)
        return { revisions: [...others, made.update], ...made }
      }
    }
  }

  /** Deletes revisions; those that are gone already do not matter. */
  async forget(revisions: readonly Revision[], signal: AbortSignal): Promise<void> {
    for (const { metadata } of revisions) {
      const preconditions = metadata.uid === undefined ? {} : { preconditions: { uid: metadata.uid } }
      try {
        await this.#api.delete(controllerRevisions, metadata, { ...preconditions, signal })
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
  }

  /** A name that another template took leads to the next collision count. */
  async #create(
    { owner, template, collisionCount, label, signal }: Parameters<RevisionKeeper['record']>[0],
    number: number,
  ): Promise<{ update: Revision; collisionCount: number }> {
    for (let count = collisionCount; ; count++) {
      const object = revisionObject(owner, template, number, count, label)
      try {
        const update = await this.#api.create<ControllerRevision>(controllerRevisions, object, { signal })
        return { update, collisionCount: count }
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
        const { namespace } = owner.metadata
        const standing = await this.#api.get<ControllerRevision>(
          controllerRevisions,
          { namespace, name: object.metadata.name },
          { signal },
        )
        if (semanticEqual(standing.data, object.data)) return { update: standing, collisionCount: count }
      }
    }
  }
}
