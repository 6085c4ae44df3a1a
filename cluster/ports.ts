import { createServer } from 'node:net'

/** A port of this machine that nobody listens on: the wanted one, if it is free. */
export async function freePort(wanted = 0): Promise<number> {
  try {
    return await tryPort(wanted)
  } catch {
    return tryPort(0)
  }
}

function tryPort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ port, host: '0.0.0.0' }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port))
    })
  })
}
