import { readFile, writeFile } from 'node:fs/promises'
import { CommandError, type Run } from '../command.ts'

export interface Sysctl {
  /** As under /proc/sys. */
  path: string
  value: string
  /** What does not work without it. */
  why: string
}

const ipv4: readonly Sysctl[] = [
  { path: 'net/ipv4/ip_forward', value: '1', why: 'pods reach nothing but their own node' },
  {
    path: 'net/bridge/bridge-nf-call-iptables',
    value: '1',
    why: 'a pod cannot reach a service that is served by a pod of the same node, and network policies do not hold between them',
  },
]

/** Only where pods have such addresses: a machine that forwards stops listening to its router's announcements. */
const ipv6: readonly Sysctl[] = [
  { path: 'net/ipv6/conf/all/forwarding', value: '1', why: 'pods reach nothing but their own node over IPv6' },
  {
    path: 'net/bridge/bridge-nf-call-ip6tables',
    value: '1',
    why: 'a pod cannot reach a service over IPv6 that is served by a pod of the same node',
  },
]

/** Sets what the network needs of the kernel; what could not be set comes back, to be told. */
export async function setSysctls(
  run: Run,
  withIpv6: boolean,
  root = '/proc/sys',
): Promise<{ sysctl: Sysctl; error: unknown }[]> {
  const failed: { sysctl: Sysctl; error: unknown }[] = []
  for (const sysctl of withIpv6 ? [...ipv4, ...ipv6] : ipv4) {
    const path = `${root}/${sysctl.path}`
    try {
      if (sysctl.path.startsWith('net/bridge/')) await loadBridgeFilter(path, run)
      if ((await readFile(path, 'utf8')).trim() !== sysctl.value) await writeFile(path, sysctl.value)
    } catch (error) {
      failed.push({ sysctl, error })
    }
  }
  return failed
}

/** The kernel's module has to be there before its settings are. */
async function loadBridgeFilter(path: string, run: Run): Promise<void> {
  try {
    await readFile(path)
  } catch {
    await run('modprobe', ['br_netfilter']).catch((error) => {
      if (!(error instanceof CommandError)) throw error
    })
  }
}
