/** A locally administered address. */
export function makeMac(): string {
  const bytes = Array.from({ length: 5 }, () => Math.floor(Math.random() * 256))
  return ['2e', ...bytes.map(byte => byte.toString(16).padStart(2, '0'))].join(':')
}
