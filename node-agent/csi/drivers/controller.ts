import { CsiError } from '../errors.ts'
import type {
  CapacityRange,
  ContentSource,
  CreateVolumeRequest,
  Topology,
  Volume,
  VolumeCapability,
} from '../messages.ts'
import type { Methods } from '../server.ts'
import { topologyKey } from '../topology.ts'
import { availableBytes, fits, sizeFor } from './capacity.ts'
import { capability, type DriverContext, idFor, required, volumeOf } from './context.ts'
import { singleNodeModes, type VolumeKind, type VolumeRecord } from './kind.ts'
import { page } from './pages.ts'
import { snapshotLock } from './snapshots.ts'

/** Making, growing and removing volumes, on the node where they are. */
export const controllerMethods = (context: DriverContext): Methods => ({
  ControllerGetCapabilities: () => ({ capabilities: context.kind.controllerCapabilities.map(capability) }),
  async CreateVolume(request: CreateVolumeRequest) {
    const id = idFor(required(request.name, 'a name'))
    return { volume: await context.lock.take(id, () => createVolume(context, id, request)) }
  },
  async DeleteVolume({ volumeId }: { volumeId: string }) {
    required(volumeId, 'a volume id')
    await context.lock.take(volumeId, async () => {
      if (!(await context.volumes.get(volumeId))) return
      await context.kind.release(context.volumes.directoryOf(volumeId))
      await context.volumes.remove(volumeId)
    })
    return {}
  },
  async ValidateVolumeCapabilities(request: { volumeId: string; volumeCapabilities: VolumeCapability[] }) {
    await volumeOf(context, request.volumeId)
    const { volumeCapabilities } = request
    const fault = volumeCapabilities.map((asked) => faultOf(context.kind, asked)).find((found) => found !== undefined)
    return fault === undefined ? { confirmed: { volumeCapabilities } } : { message: fault }
  },
  async GetCapacity(request: { volumeCapabilities: VolumeCapability[]; accessibleTopology: Topology | null }) {
    const elsewhere = request.accessibleTopology && !isHere(context, request.accessibleTopology)
    const refused = request.volumeCapabilities.some((asked) => faultOf(context.kind, asked) !== undefined)
    const bytes = elsewhere || refused ? 0 : await availableBytes(context.directory)
    return { availableCapacity: String(bytes), maximumVolumeSize: { value: String(bytes) } }
  },
  async ListVolumes({ maxEntries, startingToken }: { maxEntries: number; startingToken: string }) {
    const { items, nextToken } = page(await context.volumes.list(), maxEntries, startingToken)
    return { entries: items.map((record) => ({ volume: described(context, record) })), nextToken }
  },
  async ControllerGetVolume({ volumeId }: { volumeId: string }) {
    return { volume: described(context, await volumeOf(context, volumeId)), status: {} }
  },
  async ControllerExpandVolume({ volumeId, capacityRange }: { volumeId: string; capacityRange: CapacityRange | null }) {
    return context.lock.take(volumeId, () => expandVolume(context, volumeId, capacityRange))
  },
})

async function createVolume(context: DriverContext, id: string, request: CreateVolumeRequest): Promise<Volume> {
  const { kind, volumes, directory } = context
  const { name, capacityRange, volumeCapabilities, volumeContentSource, accessibilityRequirements } = request
  if (volumeCapabilities.length === 0) throw new CsiError('INVALID_ARGUMENT', 'volume capabilities are needed')
  for (const asked of volumeCapabilities) {
    const fault = faultOf(kind, asked)
    if (fault !== undefined) throw new CsiError('INVALID_ARGUMENT', fault)
  }
  const places = [...(accessibilityRequirements?.requisite ?? []), ...(accessibilityRequirements?.preferred ?? [])]
  if (places.length > 0 && !places.some((place) => isHere(context, place))) {
    throw new CsiError('RESOURCE_EXHAUSTED', `node ${context.nodeName} is none of the places asked for`)
  }
  const block = volumeCapabilities.some((asked) => asked.block !== undefined)
  const source = sourceText(volumeContentSource)
  const existing = await volumes.get(id)
  if (existing) {
    const same = existing.name === name && existing.block === block && existing.source === source
    if (same && fits(existing.capacityBytes, capacityRange)) return described(context, existing)
    throw new CsiError('ALREADY_EXISTS', `volume ${name} is there, and not as it is asked for now`)
  }
  const origin = await originOf(context, volumeContentSource)
  const capacityBytes = Math.max(sizeFor(capacityRange), origin?.capacityBytes ?? 0)
  if (!fits(capacityBytes, capacityRange)) {
    throw new CsiError('OUT_OF_RANGE', `what is to be copied needs ${capacityBytes} bytes`)
  }
  const available = await availableBytes(directory)
  if (capacityBytes > available) {
    throw new CsiError('RESOURCE_EXHAUSTED', `${capacityBytes} bytes are asked for and ${available} are free`)
  }
  const fileSystemBytes = origin?.fileSystemBytes ?? 0
  const record: VolumeRecord = { id, name, capacityBytes, block, source, fileSystemBytes }
  const copying = (): Promise<void> =>
    volumes.create(record, (made) => kind.make(made, record, origin?.directory, context.mayMount))
  // What is copied from is not to be grown or removed meanwhile.
  await (origin ? context.lock.take(origin.lock, copying) : copying())
  return described(context, record)
}

interface Origin {
  /** What is locked while it is copied. */
  lock: string
  directory: string
  capacityBytes: number
  fileSystemBytes: number
}

/** What a new volume is to be a copy of. */
async function originOf(context: DriverContext, source: ContentSource | null): Promise<Origin | undefined> {
  const { kind, snapshots, volumes } = context
  if (!source?.snapshot && !source?.volume) return undefined
  if (!kind.copy) throw new CsiError('INVALID_ARGUMENT', `${kind.driver} does not copy volumes`)
  if (source.volume) {
    const record = await volumeOf(context, source.volume.volumeId)
    return { ...record, lock: record.id, directory: volumes.directoryOf(record.id) }
  }
  const id = source.snapshot?.snapshotId ?? ''
  const record = await snapshots.get(id)
  if (!record) throw new CsiError('NOT_FOUND', `there is no snapshot ${id} on this node`)
  return { ...record, lock: snapshotLock(id), capacityBytes: record.sizeBytes, directory: snapshots.directoryOf(id) }
}

const sourceText = (source: ContentSource | null): string =>
  source?.snapshot ? `snapshot/${source.snapshot.snapshotId}` : source?.volume ? `volume/${source.volume.volumeId}` : ''

async function expandVolume(context: DriverContext, id: string, range: CapacityRange | null) {
  const { kind, volumes, directory } = context
  const record = await volumeOf(context, id)
  const bytes = sizeFor(range)
  if (bytes <= record.capacityBytes) {
    const nodeExpansionRequired = kind.growOnNode !== undefined && record.fileSystemBytes < record.capacityBytes
    return { capacityBytes: String(record.capacityBytes), nodeExpansionRequired }
  }
  const available = await availableBytes(directory)
  if (bytes - record.capacityBytes > available) {
    throw new CsiError(
      'OUT_OF_RANGE',
      `${bytes - record.capacityBytes} bytes more are asked for and ${available} are free`,
    )
  }
  const save = (changes: Partial<VolumeRecord>): Promise<void> => volumes.save({ ...record, ...changes })
  const nodeExpansionRequired = await kind.grow({ record, directory: volumes.directoryOf(id), save }, bytes)
  await save({ capacityBytes: bytes })
  return { capacityBytes: String(bytes), nodeExpansionRequired }
}

const isHere = ({ nodeName }: DriverContext, { segments }: Topology): boolean =>
  segments[topologyKey] === undefined || segments[topologyKey] === nodeName

function described({ nodeName }: DriverContext, { id, capacityBytes, source }: VolumeRecord): Volume {
  const [kind, of = ''] = source.split('/')
  return {
    volumeId: id,
    capacityBytes: String(capacityBytes),
    accessibleTopology: [{ segments: { [topologyKey]: nodeName } }],
    ...(kind === 'snapshot' ? { contentSource: { snapshot: { snapshotId: of } } } : {}),
    ...(kind === 'volume' ? { contentSource: { volume: { volumeId: of } } } : {}),
  }
}

/** Why a volume of this kind cannot be used so. */
function faultOf(kind: VolumeKind, { block, mount, accessMode }: VolumeCapability): string | undefined {
  const mode = accessMode?.mode ?? 'UNKNOWN'
  if (!block && !mount) return 'a capability says neither block nor mount'
  if (block && !kind.offersBlock) return `${kind.driver} has no block volumes`
  if (!singleNodeModes.includes(mode)) return `access mode ${mode} is not possible: a volume is on one node`
  const fsType = mount?.fsType ?? ''
  if (fsType !== '' && kind.fileSystems.length > 0 && !kind.fileSystems.includes(fsType)) {
    return `file system ${fsType} is not one of ${kind.fileSystems.join(', ')}`
  }
  return undefined
}
