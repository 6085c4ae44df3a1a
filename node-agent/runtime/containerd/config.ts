/** What a private containerd is told. Paths are absolute. */
export interface ContainerdConfig {
  /** 2 for containerd 1.x, 3 for 2.x. */
  version: 2 | 3
  dataDir: string
  socket: string
  sandboxImage: string
  cniConfDir: string
  cniBinDir: string
}

/** The text of containerd's config.toml. */
export function containerdConfig(config: ContainerdConfig): string {
  const { dataDir, socket } = config
  const general = `version = ${config.version}
root = ${toml(`${dataDir}/root`)}
state = ${toml(`${dataDir}/state`)}
# Lowering it fails where root lacks CAP_SYS_RESOURCE, and upward it is of no use.
oom_score = 0
[debug]
  level = "warn"
[grpc]
  address = ${toml(socket)}
  max_recv_message_size = 16777216
  max_send_message_size = 16777216
[plugins."io.containerd.internal.v1.opt"]
  path = ${toml(`${dataDir}/opt`)}
`
  return general + (config.version === 2 ? version2(config) : version3(config))
}

/** The configuration's generation that a containerd binary reads best, from what `containerd --version` prints. */
export function configVersion(printed: string): 2 | 3 {
  const [, major] = /\sv?(\d+)\.\d+/.exec(printed) ?? []
  if (major === undefined) throw new Error(`cannot tell containerd's version from ${JSON.stringify(printed.trim())}`)
  return Number(major) >= 2 ? 3 : 2
}

const version2 = ({ dataDir, sandboxImage, cniConfDir, cniBinDir }: ContainerdConfig) => {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `[${cri}]
  sandbox_image = ${toml(sandboxImage)}
  restrict_oom_score_adj = true
  enable_cdi = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [${cri}.cni]
    bin_dir = ${toml(cniBinDir)}
    conf_dir = ${toml(cniConfDir)}
  [${cri}.registry]
    config_path = ${toml(`${dataDir}/certs.d`)}
  [${cri}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [${cri}.containerd.runtimes.runc.options]
      SystemdCgroup = false
`
}

const version3 = ({ dataDir, sandboxImage, cniConfDir, cniBinDir }: ContainerdConfig) => {
  const runtime = 'plugins."io.containerd.cri.v1.runtime"'
  const images = 'plugins."io.containerd.cri.v1.images"'
  return `[plugins."io.containerd.grpc.v1.cri"]
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
[${images}]
  [${images}.pinned_images]
    sandbox = ${toml(sandboxImage)}
  [${images}.registry]
    config_path = ${toml(`${dataDir}/certs.d`)}
[${runtime}]
  restrict_oom_score_adj = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  [${runtime}.cni]
    bin_dirs = [${toml(cniBinDir)}]
    conf_dir = ${toml(cniConfDir)}
  [${runtime}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [${runtime}.containerd.runtimes.runc.options]
      SystemdCgroup = false
[plugins."io.containerd.nri.v1.nri"]
  disable = true
`
}

/** A basic TOML string: JSON's escapes are TOML's. */
const toml = (text: string) => JSON.stringify(text)
