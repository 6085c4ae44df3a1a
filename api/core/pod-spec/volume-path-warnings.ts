import type { Volume, VolumeProjection } from '../../generated/types.ts'

/** Warnings on files of one volume of which one lies within or over another. */
export function overlappingPathWarnings(volumes: readonly Volume[]): string[] {
  const warnings: string[] = []
  const look = (volume: string, what: string, files: readonly File[]) => {
    const before: File[] = []
    for (const { path, source } of files) {
      const file = { path: path.replace(/\/+$/, ''), source }
      for (const other of before) {
        if (!overlap(file, other)) continue
        warnings.push(`volume ${quote(volume)} (${what}): overlapping paths: ${show(file)} with ${show(other)}`)
      }
      before.push(file)
    }
  }
  for (const { name, configMap, secret, downwardAPI, projected } of volumes) {
    if (configMap?.items) look(name, `ConfigMap ${quote(configMap.name)}`, filesOf(configMap.items))
    if (secret?.items) look(name, `Secret ${quote(secret.secretName)}`, filesOf(secret.items))
    if (downwardAPI?.items) look(name, 'DownwardAPI', filesOf(downwardAPI.items))
    if (!projected) continue
    const files: File[] = []
    for (const source of projected.sources ?? []) {
      if (Object.keys(source).length === 0) warnings.push(`volume ${quote(name)} (Projected) has no sources provided`)
      else files.push(...projectedFiles(source))
    }
    look(name, 'Projected', files)
  }
  return warnings
}

interface File {
  path: string
  source: string
}

const quote = (text: string | undefined): string => JSON.stringify(text ?? '')
const show = ({ path, source }: File): string => (source ? `${quote(path)} (${source})` : quote(path))

const filesOf = (items: readonly { path?: string }[], source = ''): File[] =>
  items.map(({ path = '' }) => ({ path, source }))

function projectedFiles({ configMap, secret, downwardAPI, serviceAccountToken }: VolumeProjection): File[] {
  if (configMap?.items) return filesOf(configMap.items, `ConfigMap ${quote(configMap.name)}`)
  if (secret?.items) return filesOf(secret.items, `Secret ${quote(secret.name)}`)
  if (downwardAPI?.items) return filesOf(downwardAPI.items, 'DownwardAPI')
  return serviceAccountToken ? filesOf([serviceAccountToken], 'ServiceAccountToken') : []
}

function overlap(a: File, b: File): boolean {
  if (a.path === '' || b.path === '') return false
  return `${b.path}/`.startsWith(`${a.path}/`) || `${a.path}/`.startsWith(`${b.path}/`)
}
