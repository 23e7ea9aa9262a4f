// A read-only map of a few features (templates/_components/map.html). The page lists the same things beside it.
import { Popup } from 'maplibre-gl'
import { boundsOf, createMap, explainNoMap, mapConfig } from './lib/basemap.js'
import { addMarkers, MARKER, TONE_COLOUR } from './lib/markers.js'

const EMPTY = { type: 'FeatureCollection', features: [] }
const CLICKABLE = ['view-points', 'view-lines', 'view-areas']

async function load (root) {
  if (root.dataset.geojsonId) return JSON.parse(document.getElementById(root.dataset.geojsonId).textContent)
  if (!root.dataset.geojsonUrl) return EMPTY
  const answer = await fetch(root.dataset.geojsonUrl, { credentials: 'same-origin', headers: { Accept: 'application/json' } })
  if (!answer.ok) throw new Error(String(answer.status))
  return answer.json()
}

function asCollection (data) {
  if (data.type === 'FeatureCollection') return data
  if (data.type === 'Feature') return { ...EMPTY, features: [data] }
  return { ...EMPTY, features: [{ type: 'Feature', geometry: data, properties: {} }] }
}

// A long list comes as tiles: layers "points", "groups" and "shapes" (listings/demand_tiles.py).
function addTiles (map, address) {
  addMarkers(map)
  map.addSource('view', { type: 'vector', tiles: [new URL(address, location.href).href.replaceAll('%7B', '{').replaceAll('%7D', '}')], maxzoom: 14 })
  const layer = (id, from, more) => map.addLayer({ id, source: 'view', 'source-layer': from, ...more })
  layer('view-areas', 'shapes', { type: 'fill', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': TONE_COLOUR, 'fill-opacity': 0.22 } })
  layer('view-lines', 'shapes', { type: 'line', paint: { 'line-color': TONE_COLOUR, 'line-width': 2.5 } })
  layer('view-groups', 'groups', {
    type: 'circle', paint: { 'circle-color': '#b4540a', 'circle-opacity': 0.85, 'circle-radius': ['interpolate', ['linear'], ['get', 'count'], 1, 7, 50, 13, 1000, 24] }
  })
  layer('view-counts', 'groups', {
    type: 'symbol', layout: { 'text-field': ['to-string', ['get', 'count']], 'text-size': 12, 'text-allow-overlap': true }, paint: { 'text-color': '#ffffff' }
  })
  layer('view-points', 'points', {
    type: 'symbol', layout: { 'icon-image': MARKER, 'icon-allow-overlap': true, 'icon-size': ['interpolate', ['linear'], ['zoom'], 3, 0.7, 12, 1] }
  })
}

function addLayers (map, data) {
  addMarkers(map)
  map.addSource('view', { type: 'geojson', data })
  const of = type => ['==', ['geometry-type'], type]
  map.addLayer({ id: 'view-areas', type: 'fill', source: 'view', filter: of('Polygon'), paint: { 'fill-color': TONE_COLOUR, 'fill-opacity': 0.22 } })
  map.addLayer({ id: 'view-edges', type: 'line', source: 'view', filter: of('Polygon'), paint: { 'line-color': TONE_COLOUR, 'line-width': 1.5 } })
  map.addLayer({
    id: 'view-lines', type: 'line', source: 'view', filter: of('LineString'), layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': TONE_COLOUR, 'line-width': ['interpolate', ['linear'], ['zoom'], 4, 2.5, 14, 5] }
  })
  map.addLayer({
    id: 'view-points', type: 'symbol', source: 'view', filter: of('Point'),
    layout: { 'icon-image': MARKER, 'icon-allow-overlap': true, 'icon-size': ['interpolate', ['linear'], ['zoom'], 3, 0.7, 12, 1] }
  })
}

function describe (feature, words, lineUrl) {
  const { label, number, is_blurred: isBlurred } = feature.properties
  const url = feature.properties.url || (lineUrl && number ? `${lineUrl}${number}/` : '')
  const box = document.createElement('div')
  const name = document.createElement(url ? 'a' : 'strong')
  name.textContent = label || ''
  if (url) name.href = url
  box.append(name)
  if (isBlurred && isBlurred !== 'false') {
    const note = document.createElement('div')
    note.textContent = words.blurred
    box.append(note)
  }
  return box
}

function wireClicks (map, words, lineUrl) {
  map.on('click', event => {
    const [feature] = map.queryRenderedFeatures(event.point, { layers: CLICKABLE })
    if (!feature?.properties.label) return
    new Popup({ maxWidth: '260px' }).setLngLat(event.lngLat).setDOMContent(describe(feature, words, lineUrl)).addTo(map)
  })
  map.on('mousemove', event => {
    const over = map.queryRenderedFeatures(event.point, { layers: CLICKABLE }).length
    map.getCanvas().style.cursor = over ? 'pointer' : ''
  })
}

function boundsIn (text) {
  const [west, south, east, north] = (text || '').split(',').map(Number)
  return Number.isFinite(north) ? [[west, south], [east, north]] : null
}

export async function showMap (root) {
  if (root.dataset.ready) return
  root.dataset.ready = 'loading'
  const { words } = mapConfig(root)
  const { tiles, lineUrl } = root.dataset
  let data = EMPTY
  try {
    if (!tiles) data = asCollection(await load(root))
  } catch {
    explainNoMap(root, new Error(words.loadFailed))
    return
  }
  const box = tiles ? boundsIn(root.dataset.bounds) : boundsOf(data)
  const isBlurred = data.features.some(feature => feature.properties?.is_blurred)
  const view = box ? { bounds: box, fitBoundsOptions: { padding: 40, maxZoom: isBlurred ? 11 : 14 } } : {}
  let map
  try {
    map = createMap(root, { ...view, cooperativeGestures: true })
  } catch (error) {
    explainNoMap(root, error)
    return
  }
  map.on('load', () => {
    if (tiles) addTiles(map, tiles)
    else addLayers(map, data)
    wireClicks(map, words, lineUrl)
    root.dataset.ready = 'ready'
    root.dispatchEvent(new CustomEvent('gj:map', { detail: map, bubbles: true }))
  })
}
