/** A text within an option of QEMU's. */
export function escapeCommas(text: string): string {
  return text.replaceAll(',', ',,')
}
