import type { Volume } from '../../../api/generated/types.ts'
import { addedCapabilities } from './baseline.ts'
import {
  badContainers,
  byContainers,
  type Check,
  containersOf,
  hasOwnUsers,
  isWindows,
  named,
  quote,
  subjects,
} from './check.ts'

const volumeTypes = new Set<string>([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

/** What a hardened pod does besides. Sorted by id, as violations are reported. */
export const restrictedChecks: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    level: 'restricted',
    violation: ({ spec }) =>
      isWindows(spec)
        ? undefined
        : byContainers(
            badContainers(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false),
            'allowPrivilegeEscalation != false',
            'must set securityContext.allowPrivilegeEscalation=false',
          ),
  },
  {
    id: 'capabilities_restricted',
    level: 'restricted',
    overrides: ['capabilities_baseline'],
    violation({ spec }) {
      if (isWindows(spec)) return undefined
      const notDropping = badContainers(
        spec,
        ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'),
      )
      const { containers, capabilities } = addedCapabilities(spec, new Set(['NET_BIND_SERVICE']))
      const faults = [
        ...(notDropping.length > 0
          ? [`${named('container', notDropping)} must set securityContext.capabilities.drop=["ALL"]`]
          : []),
        ...(containers.length > 0
          ? [
              `${named('container', containers)} must not include ${quote(capabilities)} in securityContext.capabilities.add`,
            ]
          : []),
      ]
      return faults.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: faults.join('; ') }
    },
  },
  {
    id: 'restrictedVolumes',
    level: 'restricted',
    overrides: ['hostPathVolumes'],
    violation({ spec }) {
      const bad = (spec.volumes ?? []).filter((volume) => !volumeTypes.has(typeOf(volume)))
      if (bad.length === 0) return undefined
      const types = [...new Set(bad.map(typeOf))].sort()
      const detail = `${named(
        'volume',
        bad.map(({ name }) => name),
      )} ${bad.length === 1 ? 'uses' : 'use'} ${named('restricted volume type', types)}`
      return { reason: 'restricted volume types', detail }
    },
  },
  {
    id: 'runAsNonRoot',
    level: 'restricted',
    violation({ spec }, minor) {
      if (minor >= 35 && hasOwnUsers(spec)) return undefined
      const ofPod = spec.securityContext?.runAsNonRoot
      const bad = badContainers(spec, ({ securityContext }) => securityContext?.runAsNonRoot === false)
      const unset = ofPod
        ? []
        : badContainers(spec, ({ securityContext }) => securityContext?.runAsNonRoot === undefined)
      const isPodBad = ofPod === false
      if (isPodBad || bad.length > 0) {
        const detail = `${subjects(isPodBad, bad)} must not set securityContext.runAsNonRoot=false`
        return { reason: 'runAsNonRoot != true', detail }
      }
      if (unset.length === 0) return undefined
      const detail = `pod or ${named('container', unset)} must set securityContext.runAsNonRoot=true`
      return { reason: 'runAsNonRoot != true', detail }
    },
  },
  {
    id: 'runAsUser',
    level: 'restricted',
    violation({ spec }, minor) {
      if (minor >= 35 && hasOwnUsers(spec)) return undefined
      const bad = badContainers(spec, ({ securityContext }) => securityContext?.runAsUser === 0)
      const isPodBad = spec.securityContext?.runAsUser === 0
      if (!isPodBad && bad.length === 0) return undefined
      return { reason: 'runAsUser=0', detail: `${subjects(isPodBad, bad)} must not set runAsUser=0` }
    },
  },
  {
    id: 'seccompProfile_restricted',
    level: 'restricted',
    overrides: ['seccompProfile_baseline'],
    violation({ spec }) {
      if (isWindows(spec)) return undefined
      const ofPod = spec.securityContext?.seccompProfile?.type
      const isConfined = (type: string | undefined) => type === 'RuntimeDefault' || type === 'Localhost'
      const explicit = containersOf(spec).map(({ name, securityContext }) => ({
        name,
        type: securityContext?.seccompProfile?.type,
      }))
      const bad = explicit.filter(({ type }) => type !== undefined && !isConfined(type))
      const unset = isConfined(ofPod) ? [] : explicit.filter(({ type }) => type === undefined)
      const isPodBad = ofPod !== undefined && !isConfined(ofPod)
      const names = (list: readonly { name: string }[]) => list.map(({ name }) => name)
      if (isPodBad || bad.length > 0) {
        const types = new Set([...(isPodBad ? [ofPod] : []), ...bad.map(({ type }) => type ?? '')])
        const title = `${subjects(isPodBad, names(bad))} must not set securityContext.seccompProfile.type to`
        return { reason: 'seccompProfile', detail: `${title} ${quote([...types].sort())}` }
      }
      if (unset.length === 0) return undefined
      const detail = `pod or ${named('container', names(unset))} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`
      return { reason: 'seccompProfile', detail }
    },
  },
]

/** The field that says what a volume is; a volume without one is an emptyDir. */
const typeOf = (volume: Volume): string => Object.keys(volume).find((field) => field !== 'name') ?? 'emptyDir'
