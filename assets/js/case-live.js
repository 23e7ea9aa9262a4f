// A case kept up to date while it is negotiated: when its conversation rings with something new, the page is fetched
// again and its live parts ([data-case-live]) take the place of the old ones. A part in which somebody has typed stays
// as it is, with a line that says so and a button that shows what is new: nothing typed is lost.
import { pageBell } from './lib/bell.js'

const AGAIN_MS = 400
const words = document.querySelector('[data-live-words]')
let timer

function isTouched (part) {
  const fields = [...part.querySelectorAll('form[method=post] :is(input, textarea, select)')]
  return fields.some(field => {
    if (field.type === 'hidden') return false
    if (field.type === 'checkbox' || field.type === 'radio') return field.checked !== field.defaultChecked
    if (field.tagName === 'SELECT') {
      const first = [...field.options].find(option => option.defaultSelected) ?? field.options[0]
      return first !== undefined && field.value !== first.value
    }
    return field.value !== field.defaultValue
  })
}

function replace (part, fresh) {
  const opened = new Set([...part.querySelectorAll('details[open][id]')].map(details => details.id))
  part.replaceWith(fresh)
  for (const id of opened) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute('open', '')
  window.htmx?.process(fresh)
}

function tell (part, fresh) {
  part.querySelector('[data-live-note]')?.remove()
  const note = document.createElement('div')
  note.className = 'gj-live-note'
  note.dataset.liveNote = ''
  note.setAttribute('role', 'status')
  note.append(words.dataset.wordNew, ' ')
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'btn btn-sm'
  button.textContent = words.dataset.wordShow
  button.addEventListener('click', () => replace(part, fresh))
  note.append(button)
  part.prepend(note)
}

async function refresh () {
  const answer = await fetch(window.location.href, { credentials: 'same-origin' })
  if (!answer.ok || answer.redirected) return
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  for (const header of ['.gj-page-title', 'title']) { // code, parties and state; never typed in
    const fresh = page.querySelector(header)
    const old = document.querySelector(header)
    if (old && fresh && old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML
  }
  for (const part of document.querySelectorAll('[data-case-live]')) {
    const fresh = page.querySelector(`[data-case-live="${part.dataset.caseLive}"]`)
    if (!fresh || fresh.innerHTML === part.innerHTML) continue
    if (isTouched(part)) tell(part, document.adoptNode(fresh))
    else replace(part, document.adoptNode(fresh))
  }
}

if (words) {
  pageBell().addEventListener('ring', event => {
    if (event.detail.number === undefined) return
    clearTimeout(timer)
    timer = setTimeout(() => { refresh().catch(() => {}) }, AGAIN_MS)
  })
}
