import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}
const compressible = /^(text\/|image\/svg|application\/(json|manifest))/

const maxFiles = 2_000
/** Bytes kept in memory; what does not fit is read and compressed again each time. */
const maxKept = 32 * 1024 * 1024

export type Encoding = 'br' | 'gzip' | 'identity'

/** One file of the dashboard, ready to be sent. */
export interface DashboardFile {
  type: string
  /** Its name changes with its content, so that it may be kept for ever. */
  immutable: boolean
  encodings: readonly Encoding[]
  read(encoding: Encoding): Promise<{ body: Buffer; etag: string }>
}

/**
 * The files of the built dashboard by URL path. Each is compressed when it is first asked for, unless the build left a
 * `.br` or `.gz` beside it. Only files that were there at the start are served, so no path can lead elsewhere.
 */
export async function readDashboard(directory: string): Promise<Map<string, DashboardFile>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  if (paths.length > maxFiles)
    throw new Error(`${directory} holds more than ${maxFiles} files; is it the built dashboard?`)
  const present = new Set(paths)
  const kept = { bytes: 0 }
  const files = new Map<string, DashboardFile>()
  for (const path of paths) {
    const url = `/${relative(directory, path).split(sep).join('/')}`
    const type = types[extname(path)]
    if (type !== undefined) files.set(url, createFile({ path, url, type, present, kept }))
  }
  return files
}

interface FileParts {
  path: string
  url: string
  type: string
  present: ReadonlySet<string>
  kept: { bytes: number }
}

function createFile({ path, url, type, present, kept }: FileParts): DashboardFile {
  const ready = new Map<Encoding, Promise<{ body: Buffer; etag: string }>>()
  const make = async (encoding: Encoding) => {
    const body = await encode(path, { encoding, present })
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    if (kept.bytes + body.length > maxKept) ready.delete(encoding)
    else kept.bytes += body.length
    return { body, etag }
  }
  return {
    type,
    immutable: url.startsWith('/assets/'),
    encodings: compressible.test(type) ? ['br', 'gzip', 'identity'] : ['identity'],
    read(encoding) {
      const known = ready.get(encoding)
      if (known) return known
      const making = make(encoding)
      ready.set(encoding, making)
      making.catch(() => ready.delete(encoding))
      return making
    },
  }
}

const compressBrotli = promisify(brotliCompress)
const compressGzip = promisify(gzip)

async function encode(path: string, { encoding, present }: { encoding: Encoding; present: ReadonlySet<string> }) {
  if (encoding === 'identity') return readFile(path)
  const built = path + (encoding === 'br' ? '.br' : '.gz')
  if (present.has(built)) return readFile(built)
  const raw = await readFile(path)
  return encoding === 'br'
    ? compressBrotli(raw, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length },
      })
    : compressGzip(raw, { level: 9 })
}
