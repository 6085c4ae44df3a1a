import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Methods, serveRegistrar } from '../server.ts'

/** How a driver introduces itself to an agent. */
interface Introduction {
  type: string
  name: string
  endpoint: string
  supportedVersions: readonly string[]
}

/** A driver's place in the registry of an agent, as a driver of somebody else keeps it. */
export class Registration {
  /** What registration has told the driver. */
  readonly told: { pluginRegistered: boolean; error: string }[] = []
  #registrar: { close(): void } | undefined

  /** Puts a socket into the registry. */
  async enter(
    registry: string,
    introduction: () => Introduction,
    wrapped: (methods: Methods) => Methods = (methods) => methods,
  ): Promise<void> {
    await mkdir(registry, { recursive: true })
    const methods: Methods = {
      GetInfo: introduction,
      NotifyRegistrationStatus: (status: { pluginRegistered: boolean; error: string }) => {
        this.told.push(status)
        return {}
      },
    }
    this.#registrar = await serveRegistrar(socketIn(registry, introduction().name), wrapped(methods))
  }

  /** Takes it out again, as a driver that is removed does. */
  async leave(registry: string, name: string): Promise<void> {
    this.close()
    await rm(socketIn(registry, name), { force: true })
  }

  close(): void {
    this.#registrar?.close()
  }
}

const socketIn = (registry: string, name: string): string => join(registry, `${name}-reg.sock`)
