import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import type { Status } from '../../../api/generated/types.ts'
import { kinds, pathOf } from '../../server/kinds.ts'
import { ask, openSocket } from '../../server/request.ts'
import { defineAdoptedStyle } from './adopted-style.ts'

interface Shell {
  element: HTMLElement
  target: { namespace: string; name: string; container: string; command: string[] }
  /** Ends it. */
  signal: AbortSignal
  onState: (state: string) => void
  onFault: (message: string) => void
}

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const

/** Runs a command in a container and shows it as a terminal, until it ends or the signal fires. */
export function openShell({ element, target, signal, onState, onFault }: Shell): void {
  defineAdoptedStyle()
  element.replaceChildren()
  const style = getComputedStyle(element)
  const terminal = new Terminal({
    fontFamily: style.fontFamily,
    fontSize: 13,
    cursorBlink: true,
    screenReaderMode: true,
    theme: { background: style.backgroundColor, foreground: style.color, cursor: style.color },
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  terminal.open(element)
  const resized = new ResizeObserver(() => fit.fit())
  resized.observe(element)
  const query = new URLSearchParams({ container: target.container, stdin: 'true', stdout: 'true', tty: 'true' })
  for (const part of target.command) query.append('command', part)
  const path = `${pathOf(kinds.pods, target.namespace, target.name)}/exec?${query}`
  const socket = openSocket(path, 'v5.channel.k8s.io')
  const send = (on: number, data: Uint8Array) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(new Uint8Array([on, ...data]))
  }
  const encoder = new TextEncoder()
  const tellSize = () =>
    send(channel.resize, encoder.encode(JSON.stringify({ Width: terminal.cols, Height: terminal.rows })))
  let opened = false
  socket.onopen = () => {
    opened = true
    onState('Connected')
    fit.fit()
    tellSize()
    terminal.focus()
  }
  terminal.onResize(tellSize)
  terminal.onData((typed) => send(channel.stdin, encoder.encode(typed)))
  terminal.onBinary((typed) =>
    send(
      channel.stdin,
      Uint8Array.from(typed, (letter) => letter.charCodeAt(0)),
    ),
  )
  socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
    const bytes = new Uint8Array(data)
    if (bytes[0] === channel.stdout || bytes[0] === channel.stderr) terminal.write(bytes.subarray(1))
    else if (bytes[0] === channel.error)
      onState(endOf(JSON.parse(new TextDecoder().decode(bytes.subarray(1))) as Status))
  }
  socket.onclose = () => {
    terminal.options.disableStdin = true
    if (signal.aborted || opened) return
    onState('')
    // A socket does not tell why it was refused; a plain request does, and is refused for the same reason.
    ask(path)
      .then(() => onFault('The command could not be run.'))
      .catch((error: Error) => onFault(error.message))
  }
  signal.addEventListener('abort', () => {
    resized.disconnect()
    socket.close()
    terminal.dispose()
  })
}

function endOf({ status, message = '' }: Status): string {
  return status === 'Success' ? 'It has ended' : `It has ended: ${message}`
}
