import type { PodSpec, SecurityContext } from '../../api/generated/types.ts'
import { CliError } from '../errors.ts'
import { nearest } from '../nearest.ts'

/** Where a debug container runs: in a pod that runs, in a copy of it, or in a pod of its own on a node. */
export type Place = 'ephemeral' | 'copy' | 'node'

/** What a debug container may, and what becomes of the pod around it. */
export interface Profile {
  security(own: SecurityContext | undefined, place: Place): SecurityContext | undefined
  /** A pod on a node has the node's network, processes and IPC. */
  hostNamespaces: boolean
  /** A pod on a node has the node's files at /host. */
  hostFiles: boolean
  /** A copy leaves labels, annotations and probes behind, so that it serves nobody, and its containers see each other. */
  cleanCopy: boolean
}

const kept = (own: SecurityContext | undefined) => own

const allowing =
  (...add: string[]) =>
  (own: SecurityContext | undefined): SecurityContext => ({
    ...own,
    capabilities: { ...own?.capabilities, add: [...(own?.capabilities?.add ?? []), ...add] },
  })

const restricted: SecurityContext = {
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  allowPrivilegeEscalation: false,
  seccompProfile: { type: 'RuntimeDefault' },
}

/** kubectl's profiles by their names. */
const profiles: Readonly<Record<string, Profile>> = {
  legacy: { security: kept, hostNamespaces: true, hostFiles: true, cleanCopy: false },
  general: {
    security: (own, place) => (place === 'node' ? undefined : allowing('SYS_PTRACE')(own)),
    hostNamespaces: true,
    hostFiles: true,
    cleanCopy: true,
  },
  baseline: { security: () => undefined, hostNamespaces: false, hostFiles: false, cleanCopy: true },
  restricted: { security: () => restricted, hostNamespaces: false, hostFiles: false, cleanCopy: true },
  netadmin: { security: allowing('NET_ADMIN', 'NET_RAW'), hostNamespaces: true, hostFiles: false, cleanCopy: true },
  sysadmin: {
    security: (own) => ({ ...own, privileged: true }),
    hostNamespaces: true,
    hostFiles: true,
    cleanCopy: true,
  },
}

/** The profile of a name. Throws a CliError that says which there are. */
export function profileNamed(name: string): Profile {
  const found = profiles[name]
  if (found) return found
  const names = Object.keys(profiles)
  const meant = nearest(name, names)
  throw new CliError(`unknown profile: ${name}${meant ? `. Did you mean "${meant}"?` : `; choose ${names.join(', ')}`}`)
}

/** What a profile adds to the pod on a node; its first container sees the files. */
export function onNode(spec: PodSpec, { hostNamespaces, hostFiles }: Profile): PodSpec {
  const [container, ...others] = spec.containers
  const seeing =
    hostFiles && container
      ? {
          volumes: [...(spec.volumes ?? []), { name: 'host-root', hostPath: { path: '/' } }],
          containers: [
            {
              ...container,
              volumeMounts: [...(container.volumeMounts ?? []), { name: 'host-root', mountPath: '/host' }],
            },
            ...others,
          ],
        }
      : {}
  return {
    ...spec,
    ...seeing,
    ...(hostNamespaces ? { hostNetwork: true, hostPID: true, hostIPC: true } : {}),
  }
}
