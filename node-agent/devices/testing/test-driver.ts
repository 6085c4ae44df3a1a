import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { servePlugin } from '../../csi/server.ts'
import { Registration } from '../../csi/testing/registration.ts'
import draProto from '../proto/dra.proto?raw'

/** A claim as the driver is told of it. */
interface Asked {
  namespace: string
  name: string
  uid: string
}

/** A driver of devices as somebody else would write it. */
export class TestDeviceDriver {
  readonly name: string
  readonly socket: string
  supportedVersions = ['v1.DRAPlugin']
  /** What it was asked for, in order: `prepare NAME`, `unprepare NAME`. */
  readonly calls: string[] = []
  /** What registration has told it. */
  get told() {
    return this.#registration.told
  }
  /** Why it prepares nothing now. */
  refusal = ''
  /** It answers about no claim at all. */
  isSilent = false
  /** Of the claim, which the device is for. */
  requestNames = ['gpu']
  #server: { close(): void } | undefined
  readonly #registration = new Registration()

  private constructor(directory: string, name: string) {
    this.name = name
    this.socket = join(directory, `${name}.sock`)
    mkdirSync(directory, { recursive: true })
  }

  static async start(directory: string, name = 'gpu.example.com'): Promise<TestDeviceDriver> {
    const driver = new TestDeviceDriver(directory, name)
    driver.#server = await servePlugin(driver.socket, draProto, ['k8s.io.kubelet.pkg.apis.dra.v1.DRAPlugin'], {
      NodePrepareResources: ({ claims }: { claims: Asked[] }) => ({
        claims: driver.#answers('prepare', claims, (claim) => [
          {
            requestNames: driver.requestNames,
            poolName: 'node',
            deviceName: 'gpu-0',
            cdiDeviceIds: [`${driver.name}/gpu=${claim.name}`],
          },
        ]),
      }),
      NodeUnprepareResources: ({ claims }: { claims: Asked[] }) => ({
        claims: driver.#answers('unprepare', claims, () => []),
      }),
    })
    return driver
  }

  #answers(what: string, claims: Asked[], devicesOf: (claim: Asked) => object[]): object {
    if (this.isSilent) return {}
    return Object.fromEntries(
      claims.map((claim) => {
        this.calls.push(`${what} ${claim.name}`)
        return [claim.uid, { error: this.refusal, devices: this.refusal === '' ? devicesOf(claim) : [] }]
      }),
    )
  }

  /** Puts its socket into the registry of an agent. */
  async register(registry: string): Promise<void> {
    await this.#registration.enter(registry, () => ({
      type: 'DRAPlugin',
      name: this.name,
      endpoint: this.socket,
      supportedVersions: this.supportedVersions,
    }))
  }

  /** Takes it out again, as a driver that is removed does. */
  unregister(registry: string): Promise<void> {
    return this.#registration.leave(registry, this.name)
  }

  stop(): void {
    this.#registration.close()
    this.#server?.close()
  }
}
