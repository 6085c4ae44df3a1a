import type { CsiConnection } from '../csi/client.ts'
import type { PluginHandler } from '../csi/registration.ts'
import draProto from './proto/dra.proto?raw'

/** A claim as drivers are told of it. */
export interface ClaimName {
  namespace: string
  name: string
  uid: string
}

/** A device that a driver has made ready. */
export interface PreparedDevice {
  requestNames: string[]
  poolName: string
  deviceName: string
  cdiDeviceIds: string[]
}

/** What a driver of devices can be asked; every refusal is an Error. */
export interface DeviceDriver {
  prepare(claim: ClaimName): Promise<PreparedDevice[]>
  unprepare(claim: ClaimName): Promise<void>
}

type Answers<T> = { claims: Record<string, T> }

export const pluginType = 'DRAPlugin'
const service = 'v1.DRAPlugin'
const callTimeoutMs = 45_000

/** The drivers of devices that have registered on this node. */
export class DeviceDrivers implements PluginHandler {
  readonly #connections = new Map<string, { endpoint: string; connection: CsiConnection }>()

  /** Throws an Error that says what is wrong with how the driver introduces itself. */
  async add({ name, endpoint, supportedVersions }: Parameters<PluginHandler['add']>[0]): Promise<void> {
    if (name === '') throw new Error('the driver does not say its name')
    if (endpoint === '') throw new Error('the driver does not say where it listens')
    if (!supportedVersions.includes(service)) {
      throw new Error(`versions [${supportedVersions.join(' ')}] are not supported: ${service} is`)
    }
    // Loaded with the first driver: most nodes have none.
    const { connectPlugin } = await import('../csi/client.ts')
    this.#connections.get(name)?.connection.close()
    const connection = connectPlugin(endpoint, draProto, ['k8s.io.kubelet.pkg.apis.dra.v1.DRAPlugin'])
    this.#connections.set(name, { endpoint, connection })
  }

  remove(name: string, endpoint: string): void {
    const known = this.#connections.get(name)
    if (known?.endpoint !== endpoint) return
    known.connection.close()
    this.#connections.delete(name)
  }

  /** Throws an Error, in upstream's words, for one that is not there. */
  get(name: string): DeviceDriver {
    const known = this.#connections.get(name)
    if (!known) throw new Error(`DRA driver ${name} is not registered`)
    const { connection } = known
    const ask = async <T extends { error: string }>(method: string, claim: ClaimName): Promise<T> => {
      const { claims } = await connection
        .call<Answers<T>>(method, { claims: [claim] }, { timeoutMs: callTimeoutMs })
        .catch((error: Error) => {
          throw new Error(`${method}: ${error.message}`)
        })
      const answer = claims[claim.uid]
      if (!answer) throw new Error(`${method} skipped 1 ResourceClaims`)
      if (answer.error !== '') throw new Error(`${method} failed for ResourceClaim ${claim.name}: ${answer.error}`)
      return answer
    }
    return {
      async prepare(claim) {
        const { devices } = await ask<{ devices: PreparedDevice[]; error: string }>('NodePrepareResources', claim)
        return devices
      },
      async unprepare(claim) {
        await ask('NodeUnprepareResources', claim)
      },
    }
  }

  stop(): void {
    for (const { connection } of this.#connections.values()) connection.close()
    this.#connections.clear()
  }
}
