/** The version of the API served. */
export const kubernetesVersion = { major: '1', minor: '36', patch: '1' }

/** What /version answers and the build metric's labels are made of. */
export function serverVersion(): Record<string, string> {
  const { major, minor, patch } = kubernetesVersion
  return {
    major,
    minor,
    gitVersion: `v${major}.${minor}.${patch}+gantry`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node${process.versions.node}`,
    compiler: 'v8',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  }
}
