import { get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Deployment } from '../api/generated/types.ts'
import { systemClock } from '../client/clock.ts'
import { deployments, services } from '../client/resources.ts'
import type { Api, Live } from '../client/types.ts'
import { applyFiles } from './apply-files.ts'
import { ownFile } from './gantry-program.ts'
import type { Layout } from './layout.ts'
import type { Progress } from './progress.ts'
import { ensureQuickstartImages } from './quickstart-image.ts'
import { tellTroubles } from './quickstart-troubles.ts'
import { findProgram } from './runtime-choice.ts'
import type { Settings } from './settings.ts'

export interface QuickstartOptions {
  api: Api
  layout: Layout
  settings: Settings
  progress: Progress
  startedAtMs: number
  detached: boolean
}

const serveTimeoutMs = 120_000
const askEveryMs = 50
const app = { namespace: 'default', name: 'hello' }

/**
 * Builds the quickstart's image from this machine's own Node, applies manifests/quickstart, waits until all copies are
 * ready, calls them through their service, and says what to try next. Resolves to the exit code.
 */
export async function quickstart(options: QuickstartOptions): Promise<number> {
  const { api, layout, settings, progress, startedAtMs } = options
  progress.doing('building the image of manifests/quickstart from this machine’s Node')
  const built = await ensureQuickstartImages(layout, settings)
  progress.done(built ? 'built the image of manifests/quickstart' : 'the image of manifests/quickstart is there')
  progress.doing('applying manifests/quickstart')
  const applied = await applyFiles(api, ownFile('manifests/quickstart'))
  progress.done(`applied ${applied.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`).join(', ')}`)

  const signal = AbortSignal.timeout(serveTimeoutMs)
  const ready = new AbortController()
  // Telling is a courtesy: who waits is told how it ended in any case.
  tellTroubles(api, app, (text) => progress.note(text), systemClock, AbortSignal.any([signal, ready.signal])).catch(
    () => {},
  )
  try {
    await waitForReplicas(api, progress, signal)
    ready.abort()
    const { spec } = await api.get(services, app)
    const url = `http://${spec?.clusterIP}${spec?.ports?.[0]?.port === 80 ? '' : `:${spec?.ports?.[0]?.port}`}`
    progress.doing(`calling ${url}`)
    const answer = await ask(url, signal)
    progress.done(`served a request, ${((Date.now() - startedAtMs) / 1000).toFixed(2)} s after the start`)
    process.stdout.write(whatNext(options, url, answer))
    return 0
  } catch (error) {
    ready.abort()
    if (!signal.aborted) throw error
    progress.failed(`the application does not serve after ${serveTimeoutMs / 1000} s`)
    process.stderr.write(`What is wrong with it:

  export KUBECONFIG=${layout.kubeconfig}
  kubectl describe pods -l app=hello
`)
    return 1
  }
}

async function waitForReplicas(api: Api, progress: Progress, signal: AbortSignal): Promise<void> {
  const see = ({ metadata, spec, status }: Live<Deployment>): boolean => {
    const [ready, wanted] = [status?.readyReplicas ?? 0, spec?.replicas ?? 1]
    progress.doing(`${ready} of ${wanted} pods are ready`)
    const current = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
    if (!current || ready < wanted || (status?.updatedReplicas ?? 0) < wanted) return false
    progress.done(`${ready} pods are ready`)
    return true
  }
  for (;;) {
    const { items, metadata } = await api.list(deployments, { ...selection, signal })
    if (items.some(see)) return
    for await (const event of api.watch(deployments, {
      ...selection,
      resourceVersion: metadata.resourceVersion,
      signal,
    })) {
      if (event.type !== 'BOOKMARK' && see(event.object)) return
    }
  }
}

const selection = { namespace: app.namespace, fieldSelector: `metadata.name=${app.name}` }

/** Asks until there is an answer: the addresses of a service reach the nodes a moment after its pods are ready. */
async function ask(url: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    try {
      return await answerOf(url)
    } catch {
      await delay(askEveryMs, undefined, { signal })
    }
  }
}

function answerOf(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: 1000 }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.once('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))))
      response.once('error', reject)
    })
    request.once('timeout', () => request.destroy(new Error('no answer')))
    request.once('error', reject)
  })
}

function whatNext({ layout, detached }: QuickstartOptions, url: string, answer: string): string {
  // Without kubectl, Gantry's own verbs do.
  const kubectl = findProgram('kubectl') === undefined ? ownFile('bin/gantry') : 'kubectl'
  const end = detached ? 'gantry status shows what runs, gantry down ends it' : 'Ctrl-C ends it'
  return `
  $ curl ${url}
  ${answer.trim()}

What to try next:

  export KUBECONFIG=${layout.kubeconfig}
  ${kubectl} get pods -o wide                                          # who runs where
  ${kubectl} delete pod -l app=hello                                   # they come back
  ${kubectl} scale deployment hello --replicas=10
  ${kubectl} set image deployment/hello hello=gantry.local/hello:2     # a new version, no request lost
  ${kubectl} rollout undo deployment/hello                             # and back

${end}; what you made is kept.
`
}
