import { closeSync, openSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { describeSystemError, failed } from './api-error.ts'
import { listen, unlinkIfThere } from './backend/serial-port.ts'
import type { Target } from './flags.ts'

/** Longest path of a Unix socket in bytes. */
const PATH_MAX_BYTES = 107

/**
 * Makes the API socket. A file that is in the way is replaced, be it a dead process's socket or not; a socket that
 * somebody listens on is left alone and the start fails. `<socket>.lock` stays behind, as the real one's does.
 */
export async function openApiSocket(server: Server, target: Target): Promise<void> {
  if ('fd' in target) {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ fd: target.fd }, resolve)
    })
    return
  }
  const { path } = target
  const outer = 'Failed to start the VMM thread'
  const inner = "Error creation API server's socket"
  try {
    closeSync(openSync(`${path}.lock`, 'a'))
  } catch (error) {
    throw failed(outer, inner, describeSystemError(error))
  }
  if (Buffer.byteLength(path) > PATH_MAX_BYTES)
    throw failed(outer, inner, 'path must be shorter than SUN_LEN')
  if (await isServed(path)) {
    throw failed(outer, `API socket ${JSON.stringify(path)} is already in use by another running instance`)
  }
  try {
    unlinkIfThere(path)
    await listen(server, path)
  } catch (error) {
    throw failed(outer, inner, describeSystemError(error))
  }
}

function isServed(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}
