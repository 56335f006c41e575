import type { Place } from './layout.ts'

interface Point {
  readonly x: number
  readonly y: number
}

/** Radius of corners, in `px` */
const round = 6

/** A line with round corners; `back`: from its end to its beginning. */
export function wayPath(points: readonly number[], back: boolean): string {
  const corners = cornersOf(points)
  if (back) corners.reverse()
  const [first, ...rest] = corners
  if (first === undefined) return ''
  let path = `M${first.x} ${first.y}`
  for (const [n, corner] of rest.entries()) {
    const before = corners[n] ?? corner
    const after = corners[n + 2]
    if (after === undefined) return `${path}L${corner.x} ${corner.y}`
    const [a, b] = [towards(corner, before), towards(corner, after)]
    path += `L${a.x} ${a.y}Q${corner.x} ${corner.y} ${b.x} ${b.y}`
  }
  return path
}

/** From the border of one place to that of another. */
export function straightPath(from: Place, to: Place): string {
  const [a, b] = [centreOf(from), centreOf(to)]
  const [start, end] = [borderOf(from, b), borderOf(to, a)]
  return `M${start.x} ${start.y}L${end.x} ${end.y}`
}

/** Length of a stretch with room for a number, in `px` */
const roomy = 24

/** The middle of the longest stretch; undefined: there is no room for a number. */
export function middleOf(points: readonly number[]): Point | undefined {
  const corners = cornersOf(points)
  let [best, longest]: [Point | undefined, number] = [undefined, roomy]
  for (const [n, b] of corners.entries()) {
    const a = corners[n - 1]
    if (a === undefined) continue
    const length = Math.hypot(b.x - a.x, b.y - a.y)
    if (length > longest) [best, longest] = [{ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, length]
  }
  return best
}

function cornersOf(points: readonly number[]): Point[] {
  const corners: Point[] = []
  for (let n = 0; n + 1 < points.length; n += 2) corners.push({ x: points[n] ?? 0, y: points[n + 1] ?? 0 })
  return corners
}

function towards(corner: Point, other: Point): Point {
  const length = Math.hypot(other.x - corner.x, other.y - corner.y)
  const part = length === 0 ? 0 : Math.min(round, length / 2) / length
  return { x: corner.x + (other.x - corner.x) * part, y: corner.y + (other.y - corner.y) * part }
}

const centreOf = ({ x, y, width, height }: Place): Point => ({ x: x + width / 2, y: y + height / 2 })

function borderOf(place: Place, towardsPoint: Point): Point {
  const centre = centreOf(place)
  const [dx, dy] = [towardsPoint.x - centre.x, towardsPoint.y - centre.y]
  const reach = Math.min(
    dx === 0 ? Number.POSITIVE_INFINITY : place.width / 2 / Math.abs(dx),
    dy === 0 ? Number.POSITIVE_INFINITY : place.height / 2 / Math.abs(dy),
  )
  if (!Number.isFinite(reach)) return centre
  return { x: Math.round(centre.x + dx * reach), y: Math.round(centre.y + dy * reach) }
}
