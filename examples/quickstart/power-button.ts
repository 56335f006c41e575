import { request } from 'node:http'
import { join } from 'node:path'

/**
 * Presses a guest's power button from outside, over the VMM's own socket: no engine is asked, none has wished for it.
 * What the guest makes of it is the guest's affair.
 */
export async function pressPowerButton(home: string, box: string, incarnation: number): Promise<void> {
  const socketPath = join(home, 'boxes', box, String(incarnation), 'api.sock')
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const call = request({ socketPath, path: '/api/v1/vm.power-button', method: 'PUT', timeout: 5_000 })
    call.on('response', response => {
      resolve(response.statusCode)
      response.resume()
    })
    call.on('timeout', () => call.destroy(new Error('The VMM did not answer within 5 s')))
    call.on('error', reject)
    call.end()
  })
  if (status !== 204) throw new Error(`The VMM answered ${status} to its power button`)
}
