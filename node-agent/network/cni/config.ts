import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface CniOptions {
  bridge: string
  podCidr: string
  mtu: number
  /** Where host-local keeps which addresses are taken: the cluster's own, so that another's pods do not count. */
  ipamDir: string
}

/** The configuration list for this node's pods: a port on the bridge, an address of the node's range, and its host ports. */
export function cniConfig({ bridge, podCidr, mtu, ipamDir }: CniOptions): object {
  const everywhere = podCidr.includes(':') ? '::/0' : '0.0.0.0/0'
  return {
    cniVersion: '0.4.0',
    name: 'gantry',
    plugins: [
      {
        type: 'bridge',
        bridge,
        isGateway: true,
        // A pod that calls its own service comes back through the port it went out of.
        hairpinMode: true,
        // What leaves the cluster is masqueraded by our table, and what stays keeps the pod's address.
        ipMasq: false,
        mtu,
        ipam: { type: 'host-local', dataDir: ipamDir, ranges: [[{ subnet: podCidr }]], routes: [{ dst: everywhere }] },
      },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  }
}

/** Writes the list so that a runtime that watches the directory sees all of it or none; false when it was there already. */
export async function writeCniConfig(confDir: string, options: CniOptions): Promise<boolean> {
  const path = join(confDir, fileName)
  const text = `${JSON.stringify(cniConfig(options), undefined, 2)}\n`
  const before = await readFile(path, 'utf8').catch(() => undefined)
  if (before === text) return false
  await mkdir(confDir, { recursive: true })
  const draft = `${path}.draft`
  await writeFile(draft, text)
  await rename(draft, path)
  return true
}

const fileName = '10-gantry.conflist'
