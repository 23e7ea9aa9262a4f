// The place check: the file's places under each candidate system at once; the chosen one stands out.
import { Popup } from 'maplibre-gl'
import { boundsOf, createMap, explainNoMap } from './lib/basemap.js'

const COLOURS = ['#0a8f6c', '#c2481c', '#1878bd', '#7d4fb3'] // as the swatches beside the choices (import.css)
const collection = features => ({ type: 'FeatureCollection', features })

function addReading (map, reading, index) {
  const id = `reading-${index}`
  map.addSource(id, { type: 'geojson', data: collection(reading.features) })
  const line = ['==', ['geometry-type'], 'LineString']
  const point = ['==', ['geometry-type'], 'Point']
  map.addLayer({ id: `${id}-areas`, type: 'fill', source: id, filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': COLOURS[index], 'fill-opacity': 0.2 } })
  map.addLayer({ id: `${id}-lines`, type: 'line', source: id, filter: line, paint: { 'line-color': COLOURS[index], 'line-width': 2 } })
  map.addLayer({
    id: `${id}-points`, type: 'circle', source: id, filter: point,
    paint: { 'circle-color': COLOURS[index], 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 1 }
  })
  map.on('click', `${id}-points`, event => {
    const box = document.createElement('div')
    box.textContent = `${event.features[0].properties.label} · ${reading.label}`
    new Popup({ maxWidth: '260px' }).setLngLat(event.lngLat).setDOMContent(box).addTo(map)
  })
}

// The chosen reading large and full, the others small and faint; without a choice all alike.
function emphasise (map, count, chosen) {
  for (let index = 0; index < count; index++) {
    const isFaint = chosen >= 0 && index !== chosen
    map.setPaintProperty(`reading-${index}-points`, 'circle-radius', isFaint ? 3 : 6)
    map.setPaintProperty(`reading-${index}-points`, 'circle-opacity', isFaint ? 0.45 : 0.95)
    map.setPaintProperty(`reading-${index}-lines`, 'line-opacity', isFaint ? 0.35 : 1)
  }
  if (chosen >= 0 && chosen < count) for (const part of ['areas', 'lines', 'points']) map.moveLayer(`reading-${chosen}-${part}`)
}

function addRegion (map, region) {
  if (!region) return
  map.addSource('own-region', { type: 'geojson', data: region })
  map.addLayer({ id: 'own-region', type: 'line', source: 'own-region', paint: { 'line-color': '#b8860b', 'line-width': 2.5, 'line-dasharray': [3, 2] } })
}

function show (root) {
  root.dataset.ready = 'loading' // the common viewer keeps its hands off
  const { readings, region } = JSON.parse(document.getElementById('import-map-readings').textContent)
  const radios = [...document.querySelectorAll('[data-reading]')]
  const chosen = () => radios.findIndex(radio => radio.checked)
  // Without a choice all readings are in view: they are what there is to compare.
  const box = index => boundsOf(collection(index < 0 ? readings.flatMap(reading => reading.features) : readings[index]?.features || []))
  const first = box(chosen())
  let map
  try {
    map = createMap(root, { ...(first ? { bounds: first, fitBoundsOptions: { padding: 40, maxZoom: 14 } } : {}), cooperativeGestures: true })
  } catch (error) {
    explainNoMap(root, error)
    return
  }
  map.on('load', () => {
    addRegion(map, region)
    readings.forEach((reading, index) => addReading(map, reading, index))
    emphasise(map, readings.length, chosen())
    root.dataset.ready = 'ready'
  })
  for (const radio of radios) {
    radio.addEventListener('change', () => {
      emphasise(map, readings.length, chosen())
      const bounds = box(chosen())
      if (bounds) map.fitBounds(bounds, { padding: 40, maxZoom: 14, duration: 400 })
    })
  }
}

const root = document.getElementById('import-map')
if (root) show(root)
