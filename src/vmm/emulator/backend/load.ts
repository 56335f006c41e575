import type { Backend, BackendOptions } from './backend.ts'

/** The backend asked for. Its code is loaded with the first boot only, so that the socket is there sooner. */
export function loadBackend(name: 'qemu' | 'none', options: BackendOptions): Backend {
  if (name === 'none')
    return {
      name,
      hotplug: true,
      start: async request => {
        const { startFake } = await import('./none.ts')
        return startFake(request, options)
      },
    }
  return {
    name,
    hotplug: false,
    start: async request => {
      const { startQemu } = await import('./qemu.ts')
      return await startQemu(request, options)
    },
  }
}
