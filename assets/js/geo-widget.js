// The place control (listings/widgets.py MapWidget): a map to draw on, two number fields for a point, and the text
// that is sent. All three are kept in step; each alone is enough.
import { TerraDraw, TerraDrawLineStringMode, TerraDrawPointMode, TerraDrawPolygonMode, TerraDrawSelectMode } from 'terra-draw'
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter'
import { boundsOf, createMap } from './lib/basemap.js'
import { countCorners, modeOf, parsePair, parsePlace, rounded } from './lib/places.js'
import { watch } from './lib/watch.js'

const ACCENT = '#0b5cad'
const MODES = { Point: ['point'], LineString: ['linestring'], Polygon: ['polygon'], Geometry: ['point', 'linestring', 'polygon'] }
const editable = { feature: { draggable: true, coordinates: { draggable: true, midpoints: true, deletable: true } } }
const area = { fillColor: ACCENT, fillOpacity: 0.2, outlineColor: ACCENT, outlineWidth: 2 }
const spot = { pointColor: ACCENT, pointWidth: 7, pointOutlineColor: '#ffffff', pointOutlineWidth: 2 }

class PlaceField {
  constructor (root) {
    this.root = root
    this.text = root.querySelector('textarea')
    this.lon = root.querySelector('[data-lon]')
    this.lat = root.querySelector('[data-lat]')
    this.status = root.querySelector('[data-geo-status]')
    this.modes = MODES[root.dataset.geometry] || MODES.Geometry
    root.querySelector('[data-geo-drawing]').hidden = false
    if (this.lon) this.wireNumbers()
    this.text.addEventListener('change', () => this.read())
    root.querySelector('[data-geo-text]').open = false
    this.geometry = parsePlace(this.text.value)
    this.startMap()
    this.read()
  }

  // --- text and numbers ---
  wireNumbers () {
    this.root.querySelector('[data-geo-point]').hidden = false
    const take = event => {
      const pair = parsePair(event.target.value) // both pasted into one field
      if (pair) [this.lon.value, this.lat.value] = pair
      const spot = [Number(this.lon.value), Number(this.lat.value)]
      if (this.lon.value.trim() === '' || this.lat.value.trim() === '') return
      if (spot.some(value => !Number.isFinite(value)) || !parsePlace(spot.join(','))) { this.say(this.status.dataset.textUnreadable); return }
      this.set({ type: 'Point', coordinates: spot })
      this.show()
    }
    this.lon.addEventListener('change', take)
    this.lat.addEventListener('change', take)
  }

  // What the text says now becomes the geometry shown; text that is no place is left for the person to mend.
  read () {
    const geometry = parsePlace(this.text.value)
    if (this.text.value.trim() && !geometry) { this.say(this.status.dataset.textUnreadable); return }
    this.geometry = geometry
    this.fillNumbers()
    this.describe()
    this.show()
  }

  // A new geometry from the map or the numbers (null for none) goes to the text, and so to the form.
  set (geometry) {
    this.geometry = geometry && rounded(geometry)
    this.text.value = geometry ? JSON.stringify(this.geometry) : ''
    this.fillNumbers()
    this.describe()
    this.text.dispatchEvent(new Event('input', { bubbles: true }))
    this.root.dispatchEvent(new CustomEvent('gj:place', { detail: this.geometry, bubbles: true }))
  }

  fillNumbers () {
    if (!this.lon) return
    const point = this.geometry?.type === 'Point' ? this.geometry.coordinates : ['', '']
    if (!this.geometry && document.activeElement?.closest('[data-geo-point]')) return
    ;[this.lon.value, this.lat.value] = point
  }

  say (sentence) { if (this.status.textContent !== sentence) this.status.textContent = sentence }

  describe () {
    const { textNone, textPoint, textLine, textArea, textCorners } = this.status.dataset
    if (!this.geometry) return this.say(textNone)
    const names = { Point: textPoint, LineString: textLine, MultiLineString: textLine, Polygon: textArea, MultiPolygon: textArea }
    const name = names[this.geometry.type] || this.geometry.type
    if (this.geometry.type === 'Point') return this.say(`${name}: ${this.geometry.coordinates.join(', ')}`)
    this.say(`${name}: ${countCorners(this.geometry)} ${textCorners}`)
  }

  // --- map ---
  startMap () {
    const box = boundsOf(this.geometry) || JSON.parse(this.root.dataset.around || 'null')
    try {
      this.map = createMap(this.root.querySelector('[data-geo-map]'), box ? { bounds: box, fitBoundsOptions: { padding: 40, maxZoom: 14 } } : {})
    } catch (error) {
      this.root.querySelector('[data-geo-map]').hidden = true
      this.root.querySelector('.gj-geo-tools').hidden = true
      this.root.querySelector('[data-geo-text]').open = true
      const note = document.createElement('p')
      note.className = 'gj-geo-status'
      note.textContent = this.status.dataset.textNoMap
      this.status.before(note)
      this.root.dataset.state = 'no-map'
      return
    }
    this.map.on('load', () => this.startDrawing())
  }

  startDrawing () {
    // What cannot be drawn by hand (several parts) is shown as it is.
    this.map.addSource('kept', { type: 'geojson', data: { type: 'FeatureCollection', features: [] } })
    this.map.addLayer({ id: 'kept-line', type: 'line', source: 'kept', paint: { 'line-color': ACCENT, 'line-width': 2 } })
    this.draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map: this.map, coordinatePrecision: 9 }),
      modes: [
        new TerraDrawPointMode({ styles: spot }),
        new TerraDrawLineStringMode({ styles: { lineStringColor: ACCENT, lineStringWidth: 3, closingPointColor: ACCENT } }),
        new TerraDrawPolygonMode({ styles: area }),
        new TerraDrawSelectMode({
          flags: { point: { feature: { draggable: true } }, linestring: editable, polygon: editable },
          styles: {
            selectedPointColor: '#c2481c', selectedPointWidth: 8, selectedPointOutlineColor: '#fff', selectedPointOutlineWidth: 2,
            selectedLineStringColor: '#c2481c', selectedLineStringWidth: 3, selectedPolygonColor: '#c2481c',
            selectedPolygonFillOpacity: 0.2, selectedPolygonOutlineColor: '#c2481c', selectedPolygonOutlineWidth: 2
          }
        })
      ]
    })
    this.draw.start()
    this.draw.on('finish', id => this.finish(id))
    this.root.querySelectorAll('[data-mode]').forEach(button => button.addEventListener('click', () => this.mode(button.dataset.mode)))
    this.root.querySelector('[data-clear]').addEventListener('click', () => {
      this.set(null)
      this.show()
      this.mode(this.modes[0])
    })
    this.show()
    this.mode(this.geometry && this.geometry.type !== 'Point' ? 'select' : this.modes[0])
    this.root.dataset.state = 'ready'
    this.root.draw = this.draw
    this.root.map = this.map
  }

  mode (name) {
    this.draw.setMode(name)
    this.root.querySelectorAll('[data-mode]').forEach(button => button.setAttribute('aria-pressed', String(button.dataset.mode === name)))
  }

  // A drawn or moved feature is the place; what was there before goes.
  finish (id) {
    const feature = this.draw.getSnapshotFeature(id)
    if (!feature) return
    const others = this.draw.getSnapshot().filter(other => other.id !== id && modeOf(other.geometry) === other.properties.mode)
    if (others.length) this.draw.removeFeatures(others.map(other => other.id))
    this.keep(null)
    this.set(feature.geometry)
    if (this.draw.getMode() !== 'select' && feature.geometry.type !== 'Point') {
      // After terra-draw has closed the drawing: the corners can then be moved at once.
      setTimeout(() => { this.mode('select'); this.draw.selectFeature(id) })
    }
  }

  keep (geometry) {
    const features = geometry ? [{ type: 'Feature', geometry, properties: {} }] : []
    this.map.getSource('kept').setData({ type: 'FeatureCollection', features })
  }

  // Puts the geometry on the map, after it came from the text, the numbers or the page.
  show () {
    if (!this.draw) return
    this.draw.clear()
    this.keep(null)
    const mode = modeOf(this.geometry)
    if (this.geometry && !mode) this.keep(this.geometry)
    if (mode) this.draw.addFeatures([{ type: 'Feature', geometry: rounded(this.geometry), properties: { mode } }])
    const box = boundsOf(this.geometry)
    if (box && !this.map.getBounds().contains(box[0])) this.map.fitBounds(box, { padding: 40, maxZoom: 14, animate: false })
  }
}

export function enhance (root) {
  if (root.dataset.ready) return
  root.dataset.ready = '1'
  root.field = new PlaceField(root)
}

watch('[data-geo-widget]', enhance)
