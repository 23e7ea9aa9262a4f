// Places typed as text ↔ GeoJSON geometry. The server reads the same and more (listings/widgets.py); it has the say.
const NUMBER = '[-+]?\\d{1,3}(?:\\.\\d+)?'
const PAIR = new RegExp(`^\\s*(${NUMBER})\\s*[,，\\s]\\s*(${NUMBER})\\s*$`)
const DRAWABLE = { Point: 'point', LineString: 'linestring', Polygon: 'polygon' }
const DECIMALS = 1e7 // about a centimetre

export const modeOf = geometry => DRAWABLE[geometry?.type]

const round = value => Array.isArray(value) ? value.map(round) : Math.round(value * DECIMALS) / DECIMALS

export const rounded = geometry => ({ type: geometry.type, coordinates: round(geometry.coordinates) })

function fromPairs (text) {
  const parts = text.split(/[;；\n]/).filter(part => part.trim())
  const spots = parts.map(part => PAIR.exec(part)).map(match => match && [Number(match[1]), Number(match[2])])
  if (!spots.length || spots.some(spot => !spot)) return null
  return spots.length === 1 ? { type: 'Point', coordinates: spots[0] } : { type: 'LineString', coordinates: spots }
}

function fromWkt (text) {
  const match = /^(POINT|LINESTRING|POLYGON)\s*\((.*)\)$/is.exec(text)
  if (!match) return null
  const spots = part => part.split(',').map(pair => pair.trim().split(/\s+/).slice(0, 2).map(Number))
  if (match[1].toUpperCase() === 'POINT') return { type: 'Point', coordinates: spots(match[2])[0] }
  if (match[1].toUpperCase() === 'LINESTRING') return { type: 'LineString', coordinates: spots(match[2]) }
  return { type: 'Polygon', coordinates: match[2].split(/\)\s*,\s*\(/).map(ring => spots(ring.replace(/[()]/g, ''))) }
}

function fromGeojson (text) {
  try {
    const value = JSON.parse(text)
    const geometry = value.type === 'Feature' ? value.geometry : value
    return geometry?.coordinates || geometry?.geometries ? geometry : null
  } catch {
    return null
  }
}

const isSpot = ([longitude, latitude]) => Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90
const isFine = value => Array.isArray(value) && value.length > 0 &&
  (Array.isArray(value[0]) ? value.every(isFine) : value.every(Number.isFinite) && isSpot(value))

// The geometry of a text, or null where it is none.
export function parsePlace (text) {
  const bare = text.trim()
  const geometry = fromPairs(bare) || fromWkt(bare) || fromGeojson(bare)
  if (!geometry) return null
  return geometry.geometries || isFine(geometry.coordinates) ? geometry : null
}

// "113.33, 23.13" typed or pasted into one of two number fields; decimal commas are not guessed at.
export const parsePair = text => { const found = fromPairs(text); return found?.type === 'Point' ? found.coordinates : null }

export function countCorners (geometry) {
  const walk = value => (typeof value[0] === 'number' ? 1 : value.reduce((sum, part) => sum + walk(part), 0))
  return geometry.coordinates ? walk(geometry.coordinates) - (geometry.type === 'Polygon' ? geometry.coordinates.length : 0) : 0
}
