import type { Backend, BackendOptions } from './backend.ts'
import { createNoneBackend } from './none.ts'

/** The backend asked for. QEMU's code is loaded with the first boot only, so that the socket is there sooner. */
export function loadBackend(name: 'qemu' | 'none', options: BackendOptions): Backend {
  if (name === 'none') return createNoneBackend(options)
  return {
    name,
    hotplug: false,
    start: async request => {
      const { startQemu } = await import('./qemu.ts')
      return await startQemu(request, options)
    },
  }
}
