import { createRequire } from 'node:module'

const { version } = createRequire(import.meta.url)('boxledger/package.json') as { version: string }

/** Name and version, as every record has them. */
export const engineName = `boxledger/${version}`
