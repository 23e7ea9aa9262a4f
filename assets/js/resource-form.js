// The form of a resource: more rows, the duct bank's face, and the region under the place as soon as it is set.
import { drawFaces } from './lib/duct-face.js'

// --- Rows: the template's __prefix__ becomes the next number; the management form counts them.
function addRow (group) {
  const total = group.querySelector('[name$=-TOTAL_FORMS]')
  const most = Number(group.querySelector('[name$=-MAX_NUM_FORMS]').value)
  const number = Number(total.value)
  if (number >= most) return
  const template = group.querySelector('[data-rows-template]')
  const holder = document.createElement('div')
  holder.innerHTML = template.innerHTML.replaceAll('__prefix__', String(number))
  const row = holder.firstElementChild
  group.querySelector('.gj-pools').append(row)
  total.value = String(number + 1)
  group.dispatchEvent(new Event('rowadded'))
  row.querySelector('input:not([type=hidden])')?.focus()
}

document.querySelectorAll('[data-rows]').forEach(group => {
  const button = group.querySelector('[data-rows-add]')
  if (!button) return
  button.hidden = false
  button.addEventListener('click', () => addRow(group))
})

drawFaces()

// --- Region: asked of the server for the first corner, at most once for each place.
const hint = document.querySelector('[data-region-at]')
const place = document.querySelector('[name=place]')

function firstCorner (text) {
  try {
    let corner = JSON.parse(text).coordinates
    while (Array.isArray(corner?.[0])) corner = corner[0]
    return corner
  } catch {
    const pair = text.match(/(-?\d+(?:\.\d+)?)[\s,，]+(-?\d+(?:\.\d+)?)/)
    return pair ? [Number(pair[1]), Number(pair[2])] : null
  }
}

let asked = ''
async function showRegion () {
  const corner = firstCorner(place.value.trim())
  const key = corner ? corner.slice(0, 2).join(',') : ''
  if (key === asked) return
  asked = key
  hint.textContent = ''
  if (!corner) return
  if (Math.abs(corner[0]) > 180 || Math.abs(corner[1]) > 90) {
    hint.textContent = hint.dataset.regionNone
    return
  }
  const address = `${hint.dataset.regionAt}?lon=${encodeURIComponent(corner[0])}&lat=${encodeURIComponent(corner[1])}`
  const answer = await fetch(address, { headers: { Accept: 'application/json' } }).catch(() => null)
  if (!answer?.ok || key !== asked) return
  const region = await answer.json()
  hint.textContent = region.path ? `${hint.dataset.regionLabel}: ${region.path}` : hint.dataset.regionNone
}

if (hint && place) {
  place.addEventListener('change', showRegion)
  place.addEventListener('input', showRegion)
  if (place.value) showRegion()
}
