// The case page on a phone: one of its three parts at a time. Without this script the links jump to the parts.
const bar = document.querySelector('[data-case-tabs]')
const parts = document.querySelector('[data-case]')
const NARROW = window.matchMedia('(max-width: 800px)')

function show (name, focus = false) {
  parts.dataset.shown = name
  for (const tab of bar.querySelectorAll('[data-tab]')) {
    const isShown = tab.dataset.tab === name
    tab.setAttribute('aria-selected', String(isShown))
    tab.tabIndex = isShown ? 0 : -1
    if (isShown && focus) tab.focus()
  }
}

function step (event) {
  const tabs = [...bar.querySelectorAll('[data-tab]')]
  const at = tabs.indexOf(event.target.closest('[data-tab]'))
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key]
  if (at < 0 || to === undefined) return
  event.preventDefault()
  show(tabs[(to + tabs.length) % tabs.length].dataset.tab, true)
}

if (bar && parts) {
  bar.setAttribute('role', 'tablist')
  for (const tab of bar.querySelectorAll('[data-tab]')) {
    tab.setAttribute('role', 'tab')
    tab.setAttribute('aria-controls', tab.hash.slice(1))
  }
  bar.addEventListener('click', event => {
    const tab = event.target.closest('[data-tab]')
    if (!tab) return
    event.preventDefault()
    show(tab.dataset.tab)
  })
  bar.addEventListener('keydown', step)
  // A form that was sent back, or an address that names a part, shows that part first.
  const named = document.getElementById(window.location.hash.slice(1))?.closest('[data-part]')
  show(named?.dataset.part ?? 'terms')
  // Printing and wide windows show everything: the style sheet hides parts on narrow screens alone.
  NARROW.addEventListener('change', () => show(parts.dataset.shown))
}
