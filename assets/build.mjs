// Builds assets/dist (git-ignored) from our modules and the packages of package-lock.json: node assets/build.mjs
//   dist/js/NAME.js            each assets/js/NAME.js with what it imports; shared parts in chunk-HASH.js
//   dist/js/maplibre-worker.js MapLibre's worker in one file, for setWorkerUrl
//   dist/css/                  the style sheets of Tabler and MapLibre
//   dist/icons.svg             a sprite of the Tabler icons named in assets/icons.txt: <use href="…/icons.svg#NAME">
//   dist/basemap/world.json    the world's countries, China as officially depicted
// The folder is written beside the old one and put in its place at the end, so that a failure leaves the old one.
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const assets = dirname(fileURLToPath(import.meta.url))
const packages = join(assets, '..', 'node_modules')
const dist = join(assets, 'dist')
const draft = join(assets, 'dist.new')

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'linked', // others' licence texts, beside the bundle
  outdir: join(draft, 'js'),
  logLevel: 'warning'
}

async function bundleModules () {
  const folder = join(assets, 'js')
  const names = existsSync(folder) ? await readdir(folder) : []
  const entryPoints = names.filter(name => name.endsWith('.js')).map(name => join(folder, name))
  if (entryPoints.length) await build({ ...common, entryPoints, splitting: true, chunkNames: 'chunk-[hash]' })
}

// On its own: a worker cannot find chunks whose names the static storage has changed.
const bundleWorker = () => build({
  ...common, entryPoints: { 'maplibre-worker': join(packages, 'maplibre-gl/dist/maplibre-gl-worker.mjs') }
})

async function copyStyles () {
  await mkdir(join(draft, 'css'), { recursive: true })
  for (const from of ['@tabler/core/dist/css/tabler.min.css', 'maplibre-gl/dist/maplibre-gl.css']) {
    const css = await readFile(join(packages, from), 'utf8')
    // The maps are not copied, and collectstatic refuses a reference to a file that is not there.
    await writeFile(join(draft, 'css', from.split('/').pop()), css.replace(/\/\*# sourceMappingURL=.*?\*\//g, ''))
  }
}

async function drawSprite () {
  const list = join(assets, 'icons.txt')
  const text = existsSync(list) ? await readFile(list, 'utf8') : ''
  const names = [...new Set(text.split('\n').map(line => line.replace(/#.*/, '').trim()).filter(Boolean))].sort()
  const symbols = await Promise.all(names.map(drawSymbol))
  await writeFile(join(draft, 'icons.svg'), `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>\n`)
}

// "map" is the outline icon, "map-filled" the solid one.
async function drawSymbol (name) {
  const solid = name.endsWith('-filled')
  const file = join(packages, '@tabler/icons/icons', solid ? 'filled' : 'outline', `${name.replace(/-filled$/, '')}.svg`)
  if (!existsSync(file)) throw new Error(`assets/icons.txt names "${name}", which is no icon of Tabler`)
  const shapes = (await readFile(file, 'utf8'))
    .replace(/^[\s\S]*?<svg[^>]*>/, '').replace(/<\/svg>\s*$/, '')
    .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/, '') // an empty box
    .replace(/\s+/g, ' ').trim()
  const paint = solid
    ? 'fill="currentColor"'
    : 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
  return `<symbol id="${name}" viewBox="0 0 24 24" ${paint}>${shapes}</symbol>`
}

// China comes as one shape of many parts; the ten dashes become a feature of their own (part: "dashes"), so that the
// map can draw them at every zoom, also where the coarse coast has given way to the divisions' own outlines.
async function copyBasemap () {
  const world = JSON.parse(await readFile(join(packages, '@surbowl/world-geo-json-zh/world.zh.json'), 'utf8'))
  const china = world.features.find(feature => feature.properties.iso_a2 === 'CN')
  const parts = china.geometry.coordinates
  const dashes = parts.filter(isDash)
  if (dashes.length !== 10) throw new Error(`world.zh.json: ten dashes expected, ${dashes.length} found`)
  china.geometry.coordinates = parts.filter(part => !dashes.includes(part))
  world.features.push({
    type: 'Feature', properties: { ...china.properties, part: 'dashes' }, geometry: { type: 'MultiPolygon', coordinates: dashes }
  })
  await mkdir(join(draft, 'basemap'), { recursive: true })
  await writeFile(join(draft, 'basemap/world.json'), JSON.stringify(world))
}

// Long and thin: more than 0.8° one way, less than 0.05 square degrees in all. No island there is.
function isDash ([ring]) {
  const span = axis => Math.max(...ring.map(spot => spot[axis])) - Math.min(...ring.map(spot => spot[axis]))
  const area = Math.abs(ring.reduce((sum, [x, y], i) => sum + x * ring.at(i - 1)[1] - ring.at(i - 1)[0] * y, 0)) / 2
  return Math.max(span(0), span(1)) > 0.8 && area < 0.05
}

try {
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true })
  await Promise.all([bundleModules(), bundleWorker(), copyStyles(), drawSprite(), copyBasemap()])
  await rm(dist, { recursive: true, force: true })
  await rename(draft, dist)
} catch (error) {
  if (!error.errors) console.error(`assets/build.mjs: ${error.message}`) // esbuild has shown its own
  process.exitCode = 1
}
