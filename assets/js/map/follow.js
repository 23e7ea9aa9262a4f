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
  draw(stage, words)
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

const wkt = ring => `POLYGON((${ring.map(([lon, lat]) => `${round(lon, 5)} ${round(lat, 5)}`).join(',')}))`

function draw (stage, words) {
  const button = document.getElementById('gj-draw')
  let pen = null
  const stop = () => {
    pen?.stop()
    pen = null
    stage.isDrawing = false
    button.setAttribute('aria-pressed', 'false')
  }
  const finish = () => {
    const [area] = pen.getSnapshot().filter(feature => feature.geometry.type === 'Polygon')
    stop()
    if (!area) return
    tell(words.drawn, 6000)
    stage.holdsStill = true
    setCriteria({ area: wkt(area.geometry.coordinates[0]), bbox: '', near: '' })
  }
  button.addEventListener('click', async () => {
    if (pen) { stop(); tell(''); return }
    await stage.ready
    const [{ TerraDraw, TerraDrawPolygonMode }, { TerraDrawMapLibreGLAdapter }] = await Promise.all([
      import('terra-draw'), import('terra-draw-maplibre-gl-adapter')
    ])
    pen = new TerraDraw({ adapter: new TerraDrawMapLibreGLAdapter({ map: stage.map }), modes: [new TerraDrawPolygonMode()] })
    pen.start()
    pen.setMode('polygon')
    // Terra Draw tells "finish" in the middle of its own click; it must be done with it before it is stopped.
    pen.on('finish', () => setTimeout(finish))
    stage.isDrawing = true
    stage.card.close()
    button.setAttribute('aria-pressed', 'true')
    tell(words.draw)
  })
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape' && pen) { stop(); tell('') }
  })
}
