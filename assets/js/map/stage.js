// The map itself: tiles by the list's own query, the view fitted to what the list shows, the asked area drawn in.
import { LngLatBounds } from 'maplibre-gl'
import { createMap } from '../lib/basemap.js'
import { addLayers } from './layers.js'
import { Card } from './card.js'

const EARTH_M = 6371008.8

// A circle of metres around a point, as a ring of 64 corners.
function circle ([lon, lat], radiusM) {
  const reach = radiusM / EARTH_M * 180 / Math.PI
  const corners = Array.from({ length: 65 }, (_, n) => {
    const angle = n / 64 * 2 * Math.PI
    return [lon + reach * Math.cos(angle) / Math.cos(lat * Math.PI / 180), lat + reach * Math.sin(angle)]
  })
  return { type: 'Polygon', coordinates: [corners] }
}

function askedShape (data) {
  if (data.route) return JSON.parse(data.route)
  if (data.area) return JSON.parse(data.area)
  if (!data.near) return { type: 'FeatureCollection', features: [] }
  const [lon, lat, radiusM] = data.near.split(',').map(Number)
  return circle([lon, lat], radiusM)
}

export function setUpStage (element, { tiles, detail, words }) {
  element.replaceChildren()
  const asked = { extent: '', query: null }
  const address = query => location.origin + tiles + query
  const first = document.getElementById('gj-browse').dataset
  const map = createMap(element, first.extent ? { bounds: box(first.extent), fitBoundsOptions: fitting(first.extent) } : {})
  asked.extent = first.extent
  asked.query = first.tileQuery
  const ready = new Promise(resolve => map.on('load', () => {
    addLayers(map, address(asked.query))
    element.dataset.ready = 'ready'
    resolve()
  }))
  const stage = {
    map,
    ready,
    card: new Card(map, words, detail),
    holdsStill: false, // the map itself asked for the new list: do not move it under the person's hand
    async show (browse) {
      await ready
      const { tileQuery, extent } = browse.dataset
      if (tileQuery !== asked.query) {
        asked.query = tileQuery
        map.getSource('found').setTiles([address(tileQuery)])
      }
      map.getSource('asked').setData(askedShape(browse.dataset))
      if (extent && extent !== asked.extent && !stage.holdsStill) map.fitBounds(box(extent), { ...fitting(extent), duration: 600 })
      asked.extent = extent
      stage.holdsStill = false
    },
    tie (lngLat) {
      if (!map.getSource('tied')) return
      const features = lngLat ? [{ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: lngLat } }] : []
      map.getSource('tied').setData({ type: 'FeatureCollection', features })
    }
  }
  return stage
}

function box (extent) {
  const [west, south, east, north] = extent.split(',').map(Number)
  return new LngLatBounds([west, south], [east, north])
}

// One place alone is shown from a distance at which its surroundings say where it is.
const fitting = extent => {
  const [west, south, east, north] = extent.split(',').map(Number)
  return { padding: 48, maxZoom: east - west + north - south < 0.02 ? 11.5 : 14 }
}
