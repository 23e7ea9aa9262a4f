// Row and symbol tied both ways: pointing at one marks the other. Clicking a symbol opens its card, a group opens itself.
import { featureAt } from './layers.js'
import { setCriteria } from './state.js'

const SAME_CELL_DEGREES = 0.004 // a box this wide around a cell's centre holds that cell's centre alone

const rowOf = id => document.getElementById(`row-${id}`)

function mark (row) {
  document.querySelectorAll('.gj-found-row.is-tied').forEach(other => other !== row && other.classList.remove('is-tied'))
  row?.classList.add('is-tied')
}

function spot (row) {
  return [Number(row.dataset.lon), Number(row.dataset.lat)]
}

function listAround (stage, [lon, lat]) {
  const edge = SAME_CELL_DEGREES
  stage.holdsStill = true
  setCriteria({ bbox: [lon - edge, lat - edge, lon + edge, lat + edge].map(n => n.toFixed(5)).join(',') })
}

export function setUpTies (stage) {
  const { map, card } = stage
  const explore = document.getElementById('gj-explore')
  for (const [enter, leave] of [['mouseover', 'mouseout'], ['focusin', 'focusout']]) {
    explore.addEventListener(enter, event => {
      const row = event.target.closest?.('.gj-found-row')
      if (row?.dataset.lon) { mark(row); stage.tie(spot(row)) }
    })
    explore.addEventListener(leave, event => {
      const row = event.target.closest?.('.gj-found-row')
      if (row && !row.contains(event.relatedTarget)) { mark(null); stage.tie(null) }
    })
  }
  let shown = null
  map.on('mousemove', event => {
    if (!map.getLayer('found-points') || stage.isDrawing) return
    const feature = featureAt(map, event.point)
    map.getCanvas().style.cursor = feature ? 'pointer' : ''
    if (feature?.id === shown) return
    shown = feature?.id
    if (!feature) { mark(null); stage.tie(null); card.close(false); return }
    point(stage, feature, event.lngLat)
  })
  map.on('click', event => {
    if (!map.getLayer('found-points') || stage.isDrawing) return
    const feature = featureAt(map, event.point, 8)
    if (feature) open(stage, feature, event.lngLat)
  })
  map.on('movestart', () => card.close(false))
}

const place = (feature, lngLat) => feature.geometry.type === 'Point' ? feature.geometry.coordinates : lngLat.toArray()

function point (stage, feature, lngLat) {
  const row = feature.properties.count ? null : rowOf(feature.id)
  mark(row)
  row?.scrollIntoView({ block: 'nearest' })
  stage.tie(feature.properties.count ? null : place(feature, lngLat))
  if (feature.properties.name || feature.properties.count) stage.card.open(feature, place(feature, lngLat))
}

function open (stage, feature, lngLat) {
  const at = place(feature, lngLat)
  if (!feature.properties.count && !feature.properties.name) return
  if (feature.properties.count && !feature.properties.is_stack) {
    stage.card.close()
    stage.map.easeTo({ center: at, zoom: Math.min(stage.map.getZoom() + 2, 16) })
    return
  }
  mark(rowOf(feature.id))
  const around = feature.properties.is_stack ? () => listAround(stage, at) : null
  stage.card.open(feature, at, { isPinned: true, onList: around })
}
