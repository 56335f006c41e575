export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

/** A size for people. */
export function bytes(n: number): string {
  let unit = 0
  let amount = n
  for (; amount >= 1024 && unit < units.length - 1; unit += 1) amount /= 1024
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`
}
