import type { Rollout } from '../model/rollout.ts'

/** A rollout as a bar: ready pods of the new revision, those on their way, and what is left of the old. */
export function RolloutBar({ rollout, name }: { rollout: Rollout; name: string }) {
  const { desired, updated, updatedReady, old, ready } = rollout
  const whole = Math.max(desired, updated + old, 1)
  const part = (count: number) => ({ width: `${(count / whole) * 100}%` })
  const words = `${ready} of ${desired} ready${old > 0 ? `, ${updated} of the new revision, ${old} of older ones` : ''}`
  return (
    <div class="rollout">
      {/* biome-ignore lint/a11y/useSemanticElements: a meter element cannot show three parts */}
      <div
        class="rollout-bar"
        role="meter"
        aria-label={`Pods of ${name}`}
        aria-valuemin={0}
        aria-valuemax={desired}
        aria-valuenow={Math.min(ready, desired)}
        aria-valuetext={words}
        title={words}
      >
        <span class="rollout-new" style={part(updatedReady)} />
        <span class="rollout-coming" style={part(Math.max(0, updated - updatedReady))} />
        <span class="rollout-old" style={part(old)} />
      </div>
      <span class="rollout-count">
        {ready}/{desired}
      </span>
    </div>
  )
}
