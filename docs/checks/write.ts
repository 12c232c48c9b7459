// Writes the reference pages that are made from the code.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatedPages } from './generated.ts'
import { root } from './markdown.ts'

for (const [path, page] of Object.entries(await generatedPages())) writeFileSync(join(root, path), page)
