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

function describe (feature, words) {
  const { label, url, is_blurred: isBlurred } = feature.properties
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

function wireClicks (map, words) {
  map.on('click', event => {
    const [feature] = map.queryRenderedFeatures(event.point, { layers: CLICKABLE })
    if (!feature?.properties.label) return
    new Popup({ maxWidth: '260px' }).setLngLat(event.lngLat).setDOMContent(describe(feature, words)).addTo(map)
  })
  map.on('mousemove', event => {
    const over = map.queryRenderedFeatures(event.point, { layers: CLICKABLE }).length
    map.getCanvas().style.cursor = over ? 'pointer' : ''
  })
}

export async function showMap (root) {
  if (root.dataset.ready) return
  root.dataset.ready = 'loading'
  const { words } = mapConfig(root)
  let data
  try {
    data = asCollection(await load(root))
  } catch {
    explainNoMap(root, new Error(words.loadFailed))
    return
  }
  const box = boundsOf(data)
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
    addLayers(map, data)
    wireClicks(map, words)
    root.dataset.ready = 'ready'
    root.dispatchEvent(new CustomEvent('gj:map', { detail: map, bubbles: true }))
  })
}
