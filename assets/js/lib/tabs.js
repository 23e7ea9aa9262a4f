// Tabs: [role=tablist] of [role=tab][aria-controls]. Without scripts all panels stand one below the other.
export function setUpTabs (list) {
  const tabs = [...list.querySelectorAll('[role=tab]')]
  const panel = tab => document.getElementById(tab.getAttribute('aria-controls'))
  const choose = (tab, focus) => {
    for (const other of tabs) {
      const chosen = other === tab
      other.setAttribute('aria-selected', String(chosen))
      other.classList.toggle('active', chosen)
      other.tabIndex = chosen ? 0 : -1
      if (panel(other)) panel(other).hidden = !chosen
    }
    if (focus) tab.focus()
    tab.dispatchEvent(new CustomEvent('gj:tab', { bubbles: true }))
  }
  for (const tab of tabs) {
    tab.addEventListener('click', event => { event.preventDefault(); choose(tab) })
    tab.addEventListener('keydown', event => {
      const at = tabs.indexOf(tab)
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key]
      if (to === undefined) return
      event.preventDefault()
      choose(tabs[(to + tabs.length) % tabs.length], true)
    })
  }
  choose(tabs.find(tab => tab.getAttribute('aria-selected') === 'true') || tabs[0])
}
