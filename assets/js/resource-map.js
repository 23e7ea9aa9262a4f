// The map of resources with its list. The list works by itself (plain links and a form, swapped by htmx); this adds
// the map, keeps it in step with the list, and turns moves and drawings on the map into the list's own form fields.
import { canDrawMaps, explainNoMap, mapConfig } from './lib/basemap.js'
import { watch } from './lib/watch.js'
import { setUpFollowing } from './map/follow.js'
import { setUpStage } from './map/stage.js'
import { browse, explore, setUpState } from './map/state.js'
import { suggestInto } from './map/suggest.js'
import { setUpTies } from './map/ties.js'
import { setUpViews } from './map/views.js'

const root = explore()
const canvas = document.getElementById('gj-canvas')
const words = JSON.parse(document.getElementById('gj-explore-words').textContent)

setUpState(words)
watch('.gj-combo', suggestInto)
setUpViews(root, startMap)

let isStarted = false

function startMap () {
  if (isStarted) return
  isStarted = true
  if (!canDrawMaps()) {
    explainNoMap(canvas, new Error(mapConfig(canvas).words.noWebgl))
    root.classList.add('has-no-map')
    return
  }
  try {
    const stage = setUpStage(canvas, { tiles: root.dataset.tiles, detail: root.dataset.detail, words })
    setUpTies(stage)
    setUpFollowing(stage, words, root)
    stage.show(browse())
    document.addEventListener('gj:results', () => stage.show(browse()))
  } catch (error) {
    explainNoMap(canvas, error)
    root.classList.add('has-no-map')
  }
}
