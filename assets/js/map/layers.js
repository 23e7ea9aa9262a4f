// What the resource tiles look like: cells of blurred places, lines, groups with counts by kind, one symbol each.
import { addMarkers, MARKER, TONE_COLOUR } from '../lib/markers.js'
import { isDark, onThemeChange } from '../lib/theme.js'

export const CLICKABLE = ['found-points', 'found-groups', 'found-lines', 'found-areas']
const ACCENT = '#c2188b' // used for nothing but "this one", in both themes
const EMPTY = { type: 'FeatureCollection', features: [] }

const of = (...types) => ['in', ['geometry-type'], ['literal', types]]
const source = layer => ({ source: 'found', 'source-layer': layer })
const part = (sign, kind) => ['case', ['>', ['get', kind], 0], ['concat', sign, ['to-string', ['get', kind]], ' '], '']
const BY_KIND = ['concat', part('▲', 'tower'), part('●', 'duct'), part('◆', 'cable'), part('■', 'room')]
const COUNT = ['case', ['>=', ['get', 'count'], 10000],
  ['concat', ['to-string', ['round', ['/', ['get', 'count'], 1000]]], 'k'], ['to-string', ['get', 'count']]]
const RADIUS = ['interpolate', ['linear'], ['sqrt', ['get', 'count']], 1, 12, 10, 17, 40, 26, 200, 34]

const colours = () => isDark()
  ? { text: '#e6e9ee', halo: '#14181e', group: '#c9d3df', onGroup: '#14181e', ring: '#14181e', cell: '#a3abb8' }
  : { text: '#1f2530', halo: '#ffffff', group: '#33475b', onGroup: '#ffffff', ring: '#ffffff', cell: '#5c6370' }

function layers (c) {
  return [
    {
      id: 'found-cells', type: 'fill', ...source('cells'), minzoom: 11,
      paint: { 'fill-color': c.cell, 'fill-opacity': 0.07 }
    },
    {
      id: 'found-cell-edges', type: 'line', ...source('cells'), minzoom: 11,
      paint: { 'line-color': c.cell, 'line-width': 1, 'line-dasharray': [3, 3], 'line-opacity': 0.6 }
    },
    {
      id: 'found-areas', type: 'fill', ...source('shapes'), filter: of('Polygon', 'MultiPolygon'),
      paint: { 'fill-color': TONE_COLOUR, 'fill-opacity': 0.25 }
    },
    {
      id: 'found-lines', type: 'line', ...source('shapes'), filter: of('LineString', 'MultiLineString'),
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': TONE_COLOUR, 'line-opacity': ['interpolate', ['linear'], ['zoom'], 4, 0.45, 9, 0.85],
        'line-width': ['interpolate', ['linear'], ['zoom'], 4, 1, 9, 2, 14, 4]
      }
    },
    {
      id: 'found-groups', type: 'circle', ...source('groups'),
      paint: {
        'circle-radius': RADIUS, 'circle-color': c.group, 'circle-opacity': 0.92, 'circle-stroke-color': c.ring,
        'circle-stroke-width': 2
      }
    },
    {
      id: 'found-kinds', type: 'symbol', ...source('groups'),
      layout: {
        'text-field': BY_KIND, 'text-size': 11, 'text-anchor': 'top', 'text-max-width': 9, 'text-padding': 1,
        'text-offset': ['interpolate', ['linear'], ['sqrt', ['get', 'count']], 1, ['literal', [0, 1.3]], 10, ['literal', [0, 1.7]], 40, ['literal', [0, 2.5]]]
      },
      paint: { 'text-color': c.text, 'text-halo-color': c.halo, 'text-halo-width': 1.6 }
    },
    {
      id: 'found-counts', type: 'symbol', ...source('groups'),
      layout: { 'text-field': COUNT, 'text-size': 13, 'text-allow-overlap': true },
      paint: { 'text-color': c.onGroup }
    },
    {
      id: 'found-points', type: 'symbol', ...source('resources'),
      layout: {
        'icon-image': MARKER, 'icon-allow-overlap': true, 'icon-ignore-placement': true,
        'icon-size': ['interpolate', ['linear'], ['zoom'], 6, 0.75, 10, 0.9, 14, 1.1]
      }
    },
    {
      id: 'found-names', type: 'symbol', ...source('resources'), minzoom: 13,
      layout: {
        'text-field': ['get', 'name'], 'text-size': 12, 'text-anchor': 'top', 'text-offset': [0, 1], 'text-max-width': 9,
        'text-optional': true
      },
      paint: { 'text-color': c.text, 'text-halo-color': c.halo, 'text-halo-width': 1.5 }
    },
    {
      id: 'asked-area', type: 'line', source: 'asked',
      paint: { 'line-color': ACCENT, 'line-width': 2, 'line-dasharray': [2, 1.5] }
    },
    {
      id: 'tied-ring', type: 'circle', source: 'tied',
      paint: {
        'circle-radius': 17, 'circle-color': ACCENT, 'circle-opacity': 0.12, 'circle-stroke-color': ACCENT,
        'circle-stroke-width': 3
      }
    }
  ]
}

export function addLayers (map, tiles) {
  addMarkers(map)
  map.addSource('found', { type: 'vector', tiles: [tiles], maxzoom: 14 })
  map.addSource('asked', { type: 'geojson', data: EMPTY })
  map.addSource('tied', { type: 'geojson', data: EMPTY })
  for (const layer of layers(colours())) map.addLayer(layer)
  const forget = onThemeChange(() => recolour(map))
  map.on('remove', forget)
}

function recolour (map) {
  for (const layer of layers(colours())) {
    for (const [name, value] of Object.entries(layer.paint || {})) map.setPaintProperty(layer.id, name, value)
  }
}

// Which symbol or line a point of the screen is on, the topmost first; a finger is wider than a mouse.
export function featureAt (map, point, reach = 4) {
  const box = [[point.x - reach, point.y - reach], [point.x + reach, point.y + reach]]
  return map.queryRenderedFeatures(box, { layers: CLICKABLE })[0]
}
