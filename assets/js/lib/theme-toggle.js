// The button that switches between light and dark; remembered on this device. theme.js applies it before paint.
export function setUpTheme () {
  document.querySelectorAll('[data-theme-toggle]').forEach(button => {
    button.hidden = false
    button.addEventListener('click', () => {
      const next = document.documentElement.dataset.bsTheme === 'dark' ? 'light' : 'dark'
      try { localStorage.setItem('gj-theme', next) } catch { /* holds for this page only */ }
      document.dispatchEvent(new CustomEvent('gj:theme', { detail: next }))
    })
  })
}
