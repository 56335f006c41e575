import { failed } from '../api-error.ts'
import type { BackendOptions, Guest, GuestRequest } from './backend.ts'

export async function startQemu(_request: GuestRequest, _options: BackendOptions): Promise<Guest> {
  throw failed('boxledger-vmm: the qemu backend is not there yet')
}
