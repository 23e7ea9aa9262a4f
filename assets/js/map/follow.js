// "Search as I move the map", and drawing an area to search inside. Both only set a field of the list's form.
import { criterion, setCriteria, tell } from './state.js'

const round = (value, digits = 4) => Number(value.toFixed(digits))

function boxOf (map) {
  const box = map.getBounds()
  const lon = value => round(Math.max(-180, Math.min(180, value)))
  const lat = value => round(Math.max(-85, Math.min(85, value)))
  return [lon(box.getWest()), lat(box.getSouth()), lon(box.getEast()), lat(box.getNorth())].join(',')
}

export function setUpFollowing (stage, words, root) {
  root.querySelector('.gj-explore-tools').hidden = false
  follow(stage)
  draw(stage, words, document.getElementById('gj-draw'), 'area')
  draw(stage, words, document.getElementById('gj-draw-route'), 'route')
}

function follow (stage) {
  const box = document.getElementById('gj-follow')
  box.checked = Boolean(criterion('bbox'))
  let timer
  const send = () => {
    if (!box.checked || stage.isDrawing) return
    stage.holdsStill = true
    setCriteria({ bbox: boxOf(stage.map) })
  }
  stage.map.on('moveend', event => {
    clearTimeout(timer)
    // Only a person's own move asks anew; the map's own fitting to a new list does not.
    if (box.checked && event.originalEvent) timer = setTimeout(send, 350)
  })
  stage.map.on('zoomend', event => {
    if (box.checked && event.originalEvent) { clearTimeout(timer); timer = setTimeout(send, 350) }
  })
  box.addEventListener('change', () => {
    stage.holdsStill = true
    setCriteria({ bbox: box.checked ? boxOf(stage.map) : '' })
  })
  document.addEventListener('gj:results', () => { box.checked = Boolean(criterion('bbox')) })
}

const corners = ring => ring.map(([lon, lat]) => `${round(lon, 5)} ${round(lat, 5)}`).join(',')
// What each of the two pens draws, and the fields of the list's form it sets.
const PENS = {
  area: { mode: 'polygon', type: 'Polygon', criteria: shape => ({ area: `POLYGON((${corners(shape.coordinates[0])}))`, bbox: '', near: '', route: '', along: '' }) },
  route: { mode: 'linestring', type: 'LineString', criteria: shape => ({ route: `LINESTRING(${corners(shape.coordinates)})`, bbox: '', near: '', area: '', along: '' }) }
}

function draw (stage, words, button, kind) {
  const { mode, type, criteria } = PENS[kind]
  let pen = null
  const stop = () => {
    pen?.stop()
    pen = null
    stage.isDrawing = false
    button.setAttribute('aria-pressed', 'false')
  }
  const finish = () => {
    const [drawn] = pen.getSnapshot().filter(feature => feature.geometry.type === type)
    stop()
    if (!drawn) return
    tell(words.drawn[kind], 6000)
    stage.holdsStill = true
    setCriteria(criteria(drawn.geometry))
  }
  button.addEventListener('click', async () => {
    if (pen) { stop(); tell(''); return }
    if (stage.isDrawing) return
    await stage.ready
    const [{ TerraDraw, TerraDrawPolygonMode, TerraDrawLineStringMode }, { TerraDrawMapLibreGLAdapter }] = await Promise.all([
      import('terra-draw'), import('terra-draw-maplibre-gl-adapter')
    ])
    pen = new TerraDraw({ adapter: new TerraDrawMapLibreGLAdapter({ map: stage.map }), modes: [new TerraDrawPolygonMode(), new TerraDrawLineStringMode()] })
    pen.start()
    pen.setMode(mode)
    // Terra Draw tells "finish" in the middle of its own click; it must be done with it before it is stopped.
    pen.on('finish', () => setTimeout(finish))
    stage.isDrawing = true
    stage.card.close()
    button.setAttribute('aria-pressed', 'true')
    tell(words.draw[kind])
  })
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape' && pen) { stop(); tell('') }
  })
}
