import { setTimeout as delay } from 'node:timers/promises'
import { type Api, nameCall } from './api.ts'
import type { Fault, FaultPlan } from './faults.ts'
import type { Answered, Handler } from './http/server.ts'

/** Puts the faults asked for between a client and the API. */
export function withFaults(api: Api, plan: FaultPlan): Handler {
  return async request => {
    const faults = plan.strike(nameCall(request.path))
    for (const fault of faults) {
      if (fault.kind === 'hang') await new Promise<never>(() => undefined)
      if (fault.kind === 'slow') await delay(fault.ms)
    }
    const before = faults.find(fault => fault.when === 'before' && isEnding(fault))
    if (before !== undefined) return end(before)
    const response = await api(request)
    const after = faults.find(fault => fault.when === 'after' && isEnding(fault))
    if (after === undefined) return response
    // What was to happen once the answer is out happens without it.
    if (response.sent !== undefined) setTimeout(response.sent, 1)
    return end(after)
  }
}

function isEnding({ kind }: Fault): boolean {
  return ['die', 'answer', 'cut', 'garbage', 'endless'].includes(kind)
}

async function end(fault: Fault): Promise<Answered> {
  if (fault.kind === 'cut') return 'cut'
  if (fault.kind === 'garbage') return { raw: fault.body, endless: false }
  if (fault.kind === 'endless') return { raw: ENDLESS, endless: true }
  if (fault.kind === 'answer') return { status: fault.status, body: fault.body }
  if (fault.code !== undefined) process.exit(fault.code)
  process.kill(process.pid, 'SIGKILL')
  return await new Promise<never>(() => undefined)
}

const ENDLESS = 'HTTP/1.1 200 \r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{"x":"'
