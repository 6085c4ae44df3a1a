import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const program = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0,
)

/** Why pages cannot be tried here; undefined when they can. */
export const withoutBrowser = (): string | undefined => (program ? undefined : 'needs chromium')

export interface TestBrowser {
  /** A new tab that shares nothing with the others. */
  open(options?: BrowserContextOptions): Promise<WatchedPage>
  close(): Promise<void>
}

export interface WatchedPage {
  page: Page
  /** What the browser complained of: faults of the page, and what its policy has kept it from. */
  complaints: string[]
  /** Addresses that were asked for. */
  asked: string[]
}

/** Starts a browser without a window. `enter` goes before its command: a network namespace, say. */
export async function startBrowser(enter: readonly string[] = []): Promise<TestBrowser> {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-browser-'))
  const executablePath = join(directory, 'browser')
  writeFileSync(executablePath, `#!/bin/sh\nexec ${[...enter, program].join(' ')} "$@"\n`, { mode: 0o755 })
  const browser = await chromium.launch({
    executablePath,
    // Its sandbox does not start as root, and it shows nothing but our page.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  })
  return {
    async open(options = {}) {
      // The cluster has a certificate authority of its own.
      const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options })
      const page = await context.newPage()
      const complaints: string[] = []
      const asked: string[] = []
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
      })
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('request', (request) => asked.push(request.url()))
      page.on('websocket', (socket) => asked.push(socket.url()))
      page.setDefaultTimeout(30_000)
      return { page, complaints, asked }
    },
    async close() {
      await browser.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
