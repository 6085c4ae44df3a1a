import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { servePlugin, serveRegistrar } from '../../csi/server.ts'
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
  readonly told: { pluginRegistered: boolean; error: string }[] = []
  /** Why it prepares nothing now. */
  refusal = ''
  #server: { close(): void } | undefined
  #registrar: { close(): void } | undefined

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
            requestNames: ['gpu'],
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
    return Object.fromEntries(
      claims.map((claim) => {
        this.calls.push(`${what} ${claim.name}`)
        return [claim.uid, { error: this.refusal, devices: this.refusal === '' ? devicesOf(claim) : [] }]
      }),
    )
  }

  /** Puts its socket into the registry of an agent. */
  async register(registry: string): Promise<void> {
    mkdirSync(registry, { recursive: true })
    this.#registrar = await serveRegistrar(join(registry, `${this.name}-reg.sock`), {
      GetInfo: () => ({
        type: 'DRAPlugin',
        name: this.name,
        endpoint: this.socket,
        supportedVersions: this.supportedVersions,
      }),
      NotifyRegistrationStatus: (status: { pluginRegistered: boolean; error: string }) => {
        this.told.push(status)
        return {}
      },
    })
  }

  /** Takes it out again, as a driver that is removed does. */
  async unregister(registry: string): Promise<void> {
    this.#registrar?.close()
    await rm(join(registry, `${this.name}-reg.sock`), { force: true })
  }

  stop(): void {
    this.#registrar?.close()
    this.#server?.close()
  }
}
