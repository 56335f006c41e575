import { request } from 'node:http'
import { join } from 'node:path'

/** Calls a VMM as somebody else would; what it says to that does not matter. */
export function askVmm(dir: string, call: string): Promise<void> {
  return new Promise(resolve => {
    const path = `/api/v1/${call}`
    const asked = request({ socketPath: join(dir, 'api.sock'), method: 'PUT', path, agent: false }, answer =>
      answer.resume().on('close', resolve),
    )
    asked.on('error', () => resolve()).end() // it may end before its answer is out
  })
}
