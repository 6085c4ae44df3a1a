// Runs inside a network namespace and does there what a test asks for: calls to addresses that only exist there.
import { get } from 'node:http'

let stopped = false

process.on('message', async ({ id, type, url, clients, pauseMs, timeoutMs }) => {
  if (type === 'call') {
    try {
      process.send({ id, body: await call(url, timeoutMs) })
    } catch (error) {
      process.send({ id, error: error.message })
    }
  } else if (type === 'load') {
    await Promise.all(Array.from({ length: clients }, () => client(url, pauseMs, timeoutMs)))
    process.send({ id, ended: true })
  } else if (type === 'stop') stopped = true
})

async function client(url, pauseMs, timeoutMs) {
  while (!stopped) {
    try {
      process.send({ served: await call(url, timeoutMs) })
    } catch (error) {
      process.send({ failed: `${new Date().toISOString()} ${error.message}` })
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

function call(url, timeoutMs) {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.once('error', reject)
      response.once('end', () => {
        if (response.statusCode === 200) resolve(text)
        else reject(new Error(`${response.statusCode}: ${text}`))
      })
    })
    request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer in ${timeoutMs} ms`)))
    request.once('error', reject)
  })
}
