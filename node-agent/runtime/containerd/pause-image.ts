import { bytesBlob, makeImage, mediaTypes, type OciImage, ownPlatform } from '../../images/oci/image.ts'
import { tarBytes } from '../../images/oci/tar.ts'
import { pauseImageName } from './pause-name.ts'

/**
 * The image whose one process holds a sandbox's namespaces. It is made here, byte by byte, so that a sandbox needs no
 * registry: a program that asks the kernel to bury its orphans and then sleeps for ever.
 */
export async function pauseImage(architecture = ownPlatform().architecture): Promise<OciImage> {
  const program = pauseProgram(architecture)
  const layer = bytesBlob(mediaTypes.layer, await tarBytes([{ name: 'pause', mode: 0o755, content: program }]))
  const config = { Entrypoint: ['/pause'], User: '65535:65535' }
  return makeImage([pauseImageName], { architecture, os: 'linux', created: new Date(0).toISOString(), config }, [layer])
}

const headerBytes = 64 + 56
const loadAddress = 0x400000

/** A whole ELF program for Linux. Throws an Error for a processor that it is not written for. */
export function pauseProgram(architecture: string): Uint8Array {
  const written = programs[architecture]
  if (!written) throw new Error(`there is no pause program for ${architecture}: set a sandbox image`)
  const { machine, code } = written
  // struct sigaction: the handler SIG_IGN, no flags, no restorer, no mask.
  const action = Buffer.alloc(32)
  action.writeBigUInt64LE(1n)
  const body = Buffer.concat([code(), action])
  const size = headerBytes + body.length

  const header = Buffer.alloc(64)
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]) // "\x7fELF", 64 bits, little endian, version 1
  header.writeUInt16LE(2, 16) // an executable
  header.writeUInt16LE(machine, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(BigInt(loadAddress + headerBytes), 24) // where it begins to run
  header.writeBigUInt64LE(64n, 32) // where the program headers are
  header.writeUInt16LE(64, 52)
  header.writeUInt16LE(56, 54)
  header.writeUInt16LE(1, 56) // of which there is one:

  const segment = Buffer.alloc(56)
  segment.writeUInt32LE(1, 0) // to be loaded,
  segment.writeUInt32LE(5, 4) // readable and executable,
  segment.writeBigUInt64LE(BigInt(loadAddress), 16)
  segment.writeBigUInt64LE(BigInt(loadAddress), 24)
  segment.writeBigUInt64LE(BigInt(size), 32)
  segment.writeBigUInt64LE(BigInt(size), 40)
  segment.writeBigUInt64LE(0x1000n, 48)
  return Buffer.concat([header, segment, body])
}

/** Each calls rt_sigaction(SIGCHLD, the struct that follows the code, none, 8) and then waits in a loop. */
const programs: Record<string, { machine: number; code: () => Buffer }> = {
  amd64: {
    machine: 62,
    code: () =>
      Buffer.from([
        ...[0xb8, 13, 0, 0, 0], // mov eax, 13 (rt_sigaction)
        ...[0xbf, 17, 0, 0, 0], // mov edi, 17 (SIGCHLD)
        ...[0x48, 0x8d, 0x35, 19, 0, 0, 0], // lea rsi, [rip + 19], the end of the code
        ...[0x31, 0xd2], // xor edx, edx
        ...[0x41, 0xba, 8, 0, 0, 0], // mov r10d, 8
        ...[0x0f, 0x05], // syscall
        ...[0xb8, 34, 0, 0, 0], // again: mov eax, 34 (pause)
        ...[0x0f, 0x05], // syscall
        ...[0xeb, 0xf7], // jmp again
      ]),
  },
  arm64: {
    machine: 183,
    code: () => {
      const set = (register: number, value: number) => 0xd2800000 + value * 32 + register
      const call = 0xd4000001
      const words = [
        set(8, 134), // rt_sigaction
        set(0, 17), // SIGCHLD
        0x10000001 + (11 << 5), // adr x1, 11 words on, the end of the code
        set(2, 0),
        set(3, 8),
        call,
        ...[set(0, 0), set(1, 0), set(2, 0), set(3, 0), set(8, 73), call], // again: ppoll(none, 0, none, none)
        0x17fffffa, // b again
      ]
      const code = Buffer.alloc(words.length * 4)
      for (const [i, word] of words.entries()) code.writeUInt32LE(word >>> 0, i * 4)
      return code
    },
  },
}
