// The map everybody uses: countries and China's divisions from our own server, no outside host, no glyph files
// (text is drawn with the device's fonts). createMap() throws NoWebGL where the browser cannot draw it.
import { AttributionControl, Map, NavigationControl, ScaleControl, setWorkerUrl } from 'maplibre-gl'
import { isDark, onThemeChange } from './theme.js'

export class NoWebGL extends Error {}

export const CHINA = [[73.4, 3.2], [135.2, 53.7]] // south-west and north-east of the opening view: all of China

// Told apart without colour vision too; the shapes of lib/markers.js say the same.
export const TONES = { free: '#0a8f6c', partly: '#d08a00', full: '#767f8c', demand: '#1878bd', unmet: '#c2481c' }

const PALETTES = {
  light: {
    sea: '#dde7ee', land: '#f4f3ef', china: '#fbfbf9', border: '#b9b4aa', nation: '#8a8f98', province: '#9aa0aa',
    city: '#bfc4cb', county: '#d6d9de', text: '#4a515c', halo: '#ffffff'
  },
  dark: {
    sea: '#10151b', land: '#1a1f26', china: '#20262e', border: '#39404a', nation: '#737c89', province: '#596270',
    city: '#414955', county: '#323944', text: '#b4bcc8', halo: '#14181e'
  }
}

// Where the addresses stand: on the map's own element or the nearest around it (see {% map_config %}).
export function mapConfig (element) {
  const { mapWorker, mapCss, mapWorld, mapRegions, mapLanguage, mapWords } = element.closest('[data-map-worker]').dataset
  return {
    worker: mapWorker, css: mapCss, world: mapWorld, regions: mapRegions, language: mapLanguage,
    words: JSON.parse(mapWords || '{}')
  }
}

export function canDrawMaps () {
  try {
    return Boolean(document.createElement('canvas').getContext('webgl2'))
  } catch {
    return false
  }
}

const absolute = address => new URL(address, location.origin).href
const tileAddress = template => location.origin + template

const level = wanted => ['==', ['get', 'level'], wanted]

function boundary (id, wanted, colour, minzoom, width) {
  return {
    id, type: 'line', source: 'regions', 'source-layer': 'regions', filter: level(wanted), minzoom,
    layout: { 'line-join': 'round' },
    paint: { 'line-color': colour, 'line-width': ['interpolate', ['linear'], ['zoom'], minzoom, width / 2, 12, width] }
  }
}

function labels (config, colours) {
  const name = config.language === 'en'
    ? ['case', ['!=', ['coalesce', ['get', 'name_en'], ''], ''], ['get', 'name_en'], ['get', 'name_zh']]
    : ['get', 'name_zh']
  return {
    id: 'base-labels', type: 'symbol', source: 'regions', 'source-layer': 'labels',
    layout: {
      'text-field': name, 'text-size': ['interpolate', ['linear'], ['zoom'], 3, 11, 8, 13, 12, 14], 'text-max-width': 7,
      'text-padding': 6
    },
    paint: { 'text-color': colours.text, 'text-halo-color': colours.halo, 'text-halo-width': 1.4 }
  }
}

function layers (config, colours) {
  const country = ['!=', ['get', 'iso_a2'], 'CN']
  const dashes = ['==', ['get', 'part'], 'dashes']
  const found = [
    { id: 'base-sea', type: 'background', paint: { 'background-color': colours.sea } },
    // The world's outline is coarse: China's own is drawn from it only until the divisions have come.
    { id: 'base-china-far', type: 'fill', source: 'world', maxzoom: 5, filter: ['!', country], paint: { 'fill-color': colours.china } },
    { id: 'base-land', type: 'fill', source: 'world', filter: country, paint: { 'fill-color': colours.land } },
    { id: 'base-border', type: 'line', source: 'world', filter: country, paint: { 'line-color': colours.border, 'line-width': 0.7 } },
    { id: 'base-nation', type: 'line', source: 'world', maxzoom: 6, filter: ['all', ['!', country], ['!', dashes]], paint: { 'line-color': colours.nation, 'line-width': 1.1 } },
    { id: 'base-dashes', type: 'fill', source: 'world', filter: dashes, paint: { 'fill-color': colours.nation } },
    { id: 'base-dashes-edge', type: 'line', source: 'world', filter: dashes, paint: { 'line-color': colours.nation, 'line-width': 1.6 } }
  ]
  if (!config.regions) return found
  return [
    ...found,
    {
      id: 'base-china', type: 'fill', source: 'regions', 'source-layer': 'regions', filter: ['in', ['get', 'level'], ['literal', [1, 3]]],
      paint: { 'fill-color': colours.china, 'fill-antialias': false }
    },
    boundary('base-county', 3, colours.county, 8, 1),
    boundary('base-city', 2, colours.city, 5, 1.2),
    boundary('base-province', 1, colours.province, 0, 1.8),
    labels(config, colours)
  ]
}

export function baseStyle (config) {
  const sources = { world: { type: 'geojson', data: absolute(config.world) } }
  if (config.regions) sources.regions = { type: 'vector', tiles: [tileAddress(config.regions)], maxzoom: 12 }
  return { version: 8, sources, layers: layers(config, PALETTES[isDark() ? 'dark' : 'light']) }
}

function recolour (map, config) {
  for (const layer of layers(config, PALETTES[isDark() ? 'dark' : 'light'])) {
    if (!map.getLayer(layer.id)) continue
    for (const [name, value] of Object.entries(layer.paint)) map.setPaintProperty(layer.id, name, value)
  }
}

// MapLibre's style sheet, once, from our own server; pages without a map never ask for it.
function loadStyles (address) {
  if (!address || document.querySelector(`link[href="${address}"]`)) return
  const link = document.createElement('link')
  link.rel = 'stylesheet'
  link.href = address
  document.head.append(link)
}

// A map in the element, ready to take layers on its `load`. Options are MapLibre's own, over our defaults.
export function createMap (element, options = {}) {
  const config = mapConfig(element)
  if (!canDrawMaps()) throw new NoWebGL(config.words.noWebgl)
  loadStyles(config.css)
  setWorkerUrl(absolute(config.worker))
  const label = element.getAttribute('aria-label') // a page may show several maps
  const hint = config.words['Map.Title']
  const map = new Map({
    container: element, style: baseStyle(config), bounds: CHINA, fitBoundsOptions: { padding: 8 }, minZoom: 1.5, maxZoom: 18,
    renderWorldCopies: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, attributionControl: false,
    locale: { ...config.words, 'Map.Title': label ? `${label}. ${hint}` : hint }, ...options
  })
  map.touchZoomRotate.disableRotation()
  map.keyboard.disableRotation()
  map.addControl(new NavigationControl({ showCompass: false }), 'top-right')
  map.addControl(new ScaleControl({ unit: 'metric' }), 'bottom-left')
  map.addControl(new AttributionControl({ compact: false, customAttribution: config.words.attribution }), 'bottom-right')
  const forget = onThemeChange(() => recolour(map, config))
  map.on('remove', forget)
  new ResizeObserver(() => map.resize()).observe(element)
  return map
}

// The sentence in place of a map that cannot be drawn.
export function explainNoMap (element, error) {
  const note = document.createElement('p')
  note.className = 'gj-map-note'
  note.textContent = error.message
  element.classList.add('gj-map-none')
  element.replaceChildren(note)
}

// The box around any GeoJSON, or null for nothing.
export function boundsOf (geojson) {
  let box = null
  const add = ([lon, lat]) => {
    box = box
      ? [[Math.min(box[0][0], lon), Math.min(box[0][1], lat)], [Math.max(box[1][0], lon), Math.max(box[1][1], lat)]]
      : [[lon, lat], [lon, lat]]
  }
  const walk = value => {
    if (!value) return
    if (Array.isArray(value)) {
      if (typeof value[0] === 'number') add(value)
      else value.forEach(walk)
    } else walk(value.features || value.geometry || value.geometries || value.coordinates)
  }
  walk(geojson)
  return box
}
