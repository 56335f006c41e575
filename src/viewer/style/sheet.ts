import { drawingStyle } from './drawing.ts'
import { frameStyle } from './frame.ts'
import { paletteStyle } from './palette.ts'
import { partsStyle } from './parts.ts'
import { printStyle } from './print.ts'
import { timelineStyle } from './timeline.ts'

/** The page's style, whole. */
export const style = [paletteStyle, frameStyle, timelineStyle, drawingStyle, partsStyle, printStyle].join(
  '\n',
)
