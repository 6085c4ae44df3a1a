/** On a deployment, `true`: a rollout that fails is rolled back to the last revision that was completely available. */
export const autoRollbackAnnotation = 'gantry.dev/auto-rollback'
/** On a replica set: how its revision has fared, as {@link RevisionState}. A label: rollbacks carry annotations about. */
export const revisionStateLabel = 'gantry.dev/revision'
/** The condition of a deployment that was rolled back, or that there was nothing to roll back to. */
export const rolledBackCondition = 'gantry.dev/RolledBack'

/**
 * `available`: all its pods were available at once. `settled`: they stayed so for a while; it is not rolled back from any
 * more. `failed`: it was rolled back from, and is not tried again.
 */
export type RevisionState = 'available' | 'settled' | 'failed'

/** On a workload, `true`: it is restarted when a config map or a secret that its pods use changes. */
export const restartOnChangeAnnotation = 'gantry.dev/restart-on-change'
/** On such a workload: what its config maps and secrets contained when its pods were last started anew, as digests. */
export const configDigestsAnnotation = 'gantry.dev/config-digests'
