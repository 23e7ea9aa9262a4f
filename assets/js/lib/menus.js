// Menus are <details>: they open without scripts. Here: one open at a time, Esc and a click elsewhere close,
// arrow keys walk; and on a phone the bar folds behind its button.
const ITEMS = 'a, button'

function close (menu, focus) {
  if (!menu.open) return
  menu.open = false
  if (focus) menu.querySelector('summary').focus()
}

function walk (menu, event) {
  const items = [...menu.querySelectorAll(`:scope > :not(summary) :is(${ITEMS})`)]
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!step || !items.length) return
  event.preventDefault()
  if (!menu.open) menu.open = true
  const at = items.indexOf(document.activeElement)
  items[at < 0 ? (step > 0 ? 0 : items.length - 1) : (at + step + items.length) % items.length].focus()
}

function setUpFold () {
  const button = document.querySelector('[data-fold]')
  if (!button) return
  const fold = open => button.setAttribute('aria-expanded', String(open))
  button.addEventListener('click', () => fold(button.getAttribute('aria-expanded') !== 'true'))
  button.closest('[data-bar]').addEventListener('keydown', event => {
    if (event.key === 'Escape' && button.getAttribute('aria-expanded') === 'true' && !event.defaultPrevented) {
      fold(false)
      button.focus()
    }
  })
}

export function setUpMenus () {
  setUpFold()
  const menus = () => document.querySelectorAll('details[data-menu][open]')
  document.addEventListener('click', event => {
    menus().forEach(menu => { if (!menu.contains(event.target)) close(menu) })
  })
  document.addEventListener('focusin', event => {
    menus().forEach(menu => { if (!menu.contains(event.target)) close(menu) })
  })
  document.addEventListener('keydown', event => {
    const menu = event.target.closest?.('details[data-menu]')
    if (!menu) return
    if (event.key === 'Escape' && menu.open) { event.preventDefault(); close(menu, true) } else walk(menu, event)
  })
}
