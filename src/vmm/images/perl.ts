import type { CpioEntry } from './cpio.ts'
import { ImageError } from './image-error.ts'
import type { TarFile } from './tar.ts'

/** What the guest's agent needs: perl itself, and the packages of the libraries it is linked with. */
export const perlPackages = ['perl-base', 'libc6', 'libcrypt1'] as const

/** Where each file is in the guest, and what it is called in the packages of Debian 12 and later. */
const places: readonly (readonly [place: string, path: RegExp])[] = [
  ['bin/perl', /^usr\/bin\/perl$/],
  ['usr/lib/x86_64-linux-gnu/perl-base/strict.pm', /^usr\/lib\/x86_64-linux-gnu\/perl-base\/strict\.pm$/],
  ['lib64/ld-linux-x86-64.so.2', /^(?:usr\/)?lib(?:64|\/x86_64-linux-gnu)\/ld-linux-x86-64\.so\.2$/],
  ['lib/x86_64-linux-gnu/libc.so.6', /^(?:usr\/)?lib\/x86_64-linux-gnu\/libc\.so\.6$/],
  ['lib/x86_64-linux-gnu/libm.so.6', /^(?:usr\/)?lib\/x86_64-linux-gnu\/libm\.so\.6$/],
  ['lib/x86_64-linux-gnu/libcrypt.so.1', /^(?:usr\/)?lib\/x86_64-linux-gnu\/libcrypt\.so\.1\.[\d.]+$/],
]

/** Whether a file of one of `perlPackages` is needed. */
export function isWantedForPerl(path: string): boolean {
  return places.some(([, pattern]) => pattern.test(path))
}

/** Perl as it stands in the guest, from the files of all its packages. */
export function perlEntries(files: readonly TarFile[]): CpioEntry[] {
  return places.map(([place, pattern]) => {
    const file = files.find(({ path }) => pattern.test(path))
    if (file === undefined)
      throw new ImageError('UNSUPPORTED', `None of ${perlPackages.join(', ')} has a file for /${place}.`)
    return { type: 'file', path: place, mode: 0o755, data: file.data }
  })
}
