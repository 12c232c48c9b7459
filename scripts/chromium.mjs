// Finds a Chromium for the browser tests, and installs one where it may.
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { capture } from './child.mjs'
import { Obstacle } from './obstacle.mjs'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

/**
 * @returns {Promise<string>} the path of a Chromium that starts
 * @throws {Obstacle} saying what to install
 */
export async function chromium() {
  const found = await findChromium()
  if (found !== undefined) return found
  if (process.getuid?.() === 0 && isDebian()) {
    console.log('Installing Chromium for the browser tests …')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const output = []
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'chromium']]) {
      output.push((await capture({ command: 'apt-get', args }, { env })).output)
    }
    const installed = await findChromium()
    if (installed !== undefined) return installed
    throw new Obstacle(`${output.join('\n').trim().split('\n').slice(-10).join('\n')}\n\n${advice()}`)
  }
  throw new Obstacle(advice())
}

/** The first Chromium that answers to `--version`: Ubuntu has a `chromium-browser` that only tells people to use snap. */
async function findChromium() {
  for (const path of candidates()) {
    if (!isExecutable(path)) continue
    const { code } = await capture({ command: path, args: ['--version'] }, {})
    if (code === 0) return path
  }
  return undefined
}

/** @returns {string[]} in order of preference */
function candidates() {
  const named = process.env['CHROMIUM_PATH']
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)
  return [
    ...(named === undefined || named === '' ? [] : [named]),
    ...names.flatMap((name) => onPath.map((folder) => join(folder, name))),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    ...downloadedByPlaywright(),
  ]
}

/** @returns {string[]} what `npx playwright-core install chromium` has put in its cache, newest first */
function downloadedByPlaywright() {
  const inside = ['chrome-linux/chrome', 'chrome-linux64/chrome', 'chrome-mac/Chromium.app/Contents/MacOS/Chromium']
  return [join(homedir(), '.cache/ms-playwright'), join(homedir(), 'Library/Caches/ms-playwright')]
    .filter((cache) => existsSync(cache))
    .flatMap((cache) =>
      readdirSync(cache)
        .filter((name) => /^chromium-\d+$/.test(name))
        .sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)))
        .flatMap((name) => inside.map((path) => join(cache, name, path))),
    )
}

function isDebian() {
  try {
    return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function advice() {
  return [
    'The browser tests need Chromium, and none was found. Do one of these, then run the same command again:',
    '  sudo apt-get install chromium              on Debian',
    '  npx playwright-core install chromium       anywhere else (and `npx playwright-core install-deps` if it does not start)',
    '  export CHROMIUM_PATH=/path/to/chromium     if you have one already',
  ].join('\n')
}
