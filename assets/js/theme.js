// Before the first paint: the colours the person chose, else those of the system; and that scripts run.
// A plain script, not a module: a module would run after the page has been seen in the wrong colours.
(() => {
  const root = document.documentElement
  let chosen = null
  try { chosen = localStorage.getItem('gj-theme') } catch { /* storage is switched off: the system decides */ }
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const apply = () => { root.dataset.bsTheme = chosen || (dark.matches ? 'dark' : 'light') }
  apply()
  dark.addEventListener('change', apply)
  root.classList.add('gj-js')
  document.addEventListener('gj:theme', event => { chosen = event.detail; apply() })
})()
