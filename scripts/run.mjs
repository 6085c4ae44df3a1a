// What `npm start`, `npm test` and `npm run build` do on a fresh machine: install what is missing, build, go.
// Needs nothing but Node: it runs before the packages are there.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [task = 'start', ...args] = process.argv.slice(2)

/** Where the suites leave their numbers. */
const results = join(root, '.cache/results')

/** What nodes with containerd use of the system: Debian's package, by a file or program that shows it is there. */
const nodePackages = {
  containerd: 'containerd',
  runc: 'runc',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
  nft: 'nftables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  busybox: 'busybox-static',
}

/** What tests use besides. */
const testPackages = {
  etcd: 'etcd-server',
  'docker-registry': 'docker-registry',
  skopeo: 'skopeo',
  unzip: 'unzip',
  openssl: 'openssl',
  prometheus: 'prometheus',
  chromium: 'chromium',
}

requireNode(20)
if (task === 'start' && wantsContainers(args)) {
  // Without them the cluster runs on plain processes, and says so. npm and apt do not disturb each other.
  await Promise.all([installPackages(), installSystemPackages(nodePackages, say)])
} else {
  await installPackages()
  if (task === 'test') await installSystemPackages({ ...nodePackages, ...testPackages }, fail)
}
const { build } = await import('./build.mjs')
const startedAt = Date.now()
if (await build({ log: say })) say(`built in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`)

if (task === 'start') await exec(join(root, 'bin/gantry'), ['up', '--quickstart', ...args])
else if (task === 'test') await test(args)
else if (task !== 'build') fail(`there is no task ${task}: start, test or build`)

async function test(only) {
  const isMeant = ([name]) => only.length === 0 || only.some((word) => name.includes(word))
  // Each has one thread to run on: two side by side take half the time.
  const checks = [
    ['types', 'npx', ['tsc', '--noEmit']],
    ['format and lint', 'npx', ['biome', 'check', '.']],
    ['import directions', 'node', ['scripts/check-imports.mjs']],
    ['unused code', 'npx', ['knip', '--no-progress']],
    ['types of the page', 'npx', ['tsc', '--noEmit', '-p', 'dashboard']],
  ].filter(isMeant)
  const steps = [
    ['unit tests', 'npx', ['vitest', 'run', '--project', 'unit', ...reporters('unit')]],
    ['integration tests', 'npx', ['vitest', 'run', '--project', 'integration', ...reporters('integration')]],
    ['cluster tests', 'npx', ['vitest', 'run', '--project', 'clusters', ...reporters('clusters')]],
  ]
  rmSync(results, { recursive: true, force: true })
  const failed = []
  const tell = (name, status, at) => {
    say(`${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${((Date.now() - at) / 1000).toFixed(0)} s`)
    if (status !== 0) failed.push(name)
  }
  const check = async () => {
    for (let next = checks.shift(); next; next = checks.shift()) {
      const [name, command, parameters] = next
      const at = Date.now()
      const { status, output } = await collect(command, parameters)
      process.stdout.write(output)
      tell(name, status, at)
    }
  }
  await Promise.all([check(), check()])
  for (const [name, command, parameters] of steps.filter(isMeant)) {
    say(name)
    const at = Date.now()
    const { status } = spawnSync(command, parameters, { cwd: root, stdio: 'inherit' })
    tell(name, status, at)
  }
  // What CI reads: alone on its line, over all suites.
  const { passed, failed: broken, skipped } = counts()
  process.stdout.write(`${passed} passed, ${broken} failed, ${skipped} skipped\n`)
  if (failed.length > 0) fail(`failed: ${failed.join(', ')}`)
}

/** Runs a command to its end; resolves to its status and all that it said. */
function collect(command, parameters) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    const said = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk))
    child.once('error', (error) => resolve({ status: 1, output: `${error.message}\n` }))
    child.once('close', (status) => resolve({ status, output: Buffer.concat(said) }))
  })
}

/** For people a line a file, for {@link counts} the numbers. */
function reporters(suite) {
  return ['--reporter=default', '--reporter=json', `--outputFile.json=${join(results, `${suite}.json`)}`]
}

function counts() {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const name of existsSync(results) ? readdirSync(results) : []) {
    const report = JSON.parse(readFileSync(join(results, name), 'utf8'))
    total.passed += report.numPassedTests
    total.failed += report.numFailedTests
    total.skipped += report.numPendingTests + report.numTodoTests
    // A file that could not even be loaded has no tests to count.
    total.failed += report.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    ).length
  }
  return total
}

function requireNode(major) {
  if (Number(process.versions.node.split('.')[0]) < major) {
    fail(
      `Node ${process.versions.node} is too old. Install Node ${major} or later, for example from https://nodejs.org`,
    )
  }
}

/** npm packages, when package-lock.json says other than what was installed last. */
async function installPackages() {
  const stamp = join(root, 'node_modules/.gantry-stamp')
  const lock = readFileSync(join(root, 'package-lock.json'))
  const hash = createHash('sha256').update(lock).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return
  say('installing npm packages')
  // Not `npm ci`: it refuses a lock file that was made on another platform and names only that one's binaries.
  const parameters = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  const { status } = await run('npm', parameters, { cwd: root, stdio: 'inherit' })
  if (status !== 0)
    fail('npm could not install the packages. Is the network reachable? Try `npm install` for the whole story')
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  writeFileSync(stamp, hash)
}

/** Whether this start is meant for containers, on a machine that can have them. */
function wantsContainers(flags) {
  const runtime = flags.join(' ').match(/--runtime[= ](\S+)/)?.[1] ?? 'containerd'
  return runtime === 'containerd' && process.platform === 'linux' && process.getuid?.() === 0 && isThere('apt-get')
}

function isThere(name) {
  return name.startsWith('/') ? existsSync(name) : spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
}

/** Debian packages that are missing, named before they are installed. Nothing is started or enabled. */
async function installSystemPackages(wanted, failed) {
  const missing = Object.entries(wanted)
    .filter(([shows]) => !isThere(shows))
    .map(([, name]) => name)
  if (missing.length === 0) return
  if (!isThere('apt-get') || process.getuid?.() !== 0) {
    failed(`${missing.join(', ')} are needed. Install them with your system's package manager, then run this again`)
    return
  }
  say(`installing system packages: ${missing.join(', ')} (none is started or enabled)`)
  // A package's own service would take ports and memory: whatever starts services is told not to.
  const policy = '/usr/sbin/policy-rc.d'
  const ours = !existsSync(policy)
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const install = ['install', '-y', '--no-install-recommends', ...missing]
    if (hasPackageLists() && (await aptGet(install)).status === 0) return
    say('asking the package mirrors what there is')
    await aptGet(['update'])
    const { status, stderr } = await aptGet(install)
    if (status !== 0) {
      failed(`apt-get could not install ${missing.join(', ')}. Is the network reachable?\n${stderr}`)
    }
  } finally {
    if (ours) rmSync(policy, { force: true })
  }
}

// Functions, not constants: what runs above this line calls them.
function hasPackageLists() {
  return (
    existsSync('/var/lib/apt/lists') && readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'))
  )
}

function aptGet(parameters) {
  return run('apt-get', parameters, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  })
}

/** Resolves when the program has ended, to its exit code and what it complained of. */
function run(program, parameters, options) {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, options)
    let stderr = ''
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    child.once('error', (error) => resolve({ status: 1, stderr: error.message }))
    child.once('close', (status) => resolve({ status, stderr }))
  })
}

/** Hands over the terminal and the signals; ends as the program does. */
function exec(program, parameters) {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, { stdio: 'inherit' })
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
    child.once('exit', (code, signal) => {
      process.exitCode = code ?? (signal ? 1 : 0)
      resolve()
    })
  })
}

function say(text) {
  process.stdout.write(`gantry: ${text}\n`)
}

function fail(text) {
  process.stderr.write(`gantry: ${text}\n`)
  process.exit(1)
}
