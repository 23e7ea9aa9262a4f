// The search field as a combobox: options come from the server (what this reader may read about), arrows choose.
import { setCriteria } from './state.js'

const WAIT_MS = 180

export function suggestInto (combo) {
  const input = combo.querySelector('input')
  const list = combo.querySelector('.gj-combo-list')
  let timer
  let asked = 0
  let active = null
  Object.entries({ role: 'combobox', 'aria-expanded': 'false', 'aria-controls': list.id, 'aria-autocomplete': 'list' })
    .forEach(([name, value]) => input.setAttribute(name, value))

  const options = () => [...list.querySelectorAll('[role=option]')]
  const close = () => {
    list.hidden = true
    active = null
    input.setAttribute('aria-expanded', 'false')
    input.removeAttribute('aria-activedescendant')
  }
  const activate = option => {
    active?.setAttribute('aria-selected', 'false')
    active = option
    if (!option) { input.removeAttribute('aria-activedescendant'); return }
    option.setAttribute('aria-selected', 'true')
    option.scrollIntoView({ block: 'nearest' })
    input.setAttribute('aria-activedescendant', option.id)
  }
  const choose = option => {
    close()
    if (option.dataset.sort === 'resource') { location.assign(option.dataset.href); return }
    const query = new URL(option.dataset.href, location.origin).searchParams
    setCriteria({ q: '', bbox: '', ...Object.fromEntries(query) })
  }
  const ask = async () => {
    const number = ++asked
    const text = input.value.trim()
    if (text.length < 2) { close(); return }
    const answer = await fetch(`${combo.dataset.suggestUrl}?q=${encodeURIComponent(text)}`, { credentials: 'same-origin' }).catch(() => null)
    if (!answer?.ok || number !== asked || document.activeElement !== input) return
    // Our own server's template, escaped there.
    list.innerHTML = await answer.text()
    if (!options().length) { close(); return }
    active = null
    list.hidden = false
    input.setAttribute('aria-expanded', 'true')
  }
  input.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(ask, WAIT_MS) })
  input.addEventListener('blur', () => setTimeout(close, 150))
  list.addEventListener('mousedown', event => event.preventDefault())
  list.addEventListener('click', event => {
    const option = event.target.closest('[role=option]')
    if (option) choose(option)
  })
  input.addEventListener('keydown', event => {
    if (event.isComposing) return // Enter then ends the input of a Chinese word
    const all = options()
    const at = all.indexOf(active)
    if (event.key === 'Escape' && !list.hidden) { close(); event.preventDefault() }
    if (list.hidden) return
    if (event.key === 'ArrowDown') { activate(all[(at + 1) % all.length]); event.preventDefault() }
    if (event.key === 'ArrowUp') { activate(all[(at - 1 + all.length) % all.length]); event.preventDefault() }
    if (event.key === 'Enter' && active) { choose(active); event.preventDefault() }
  })
}
