// Light or dark, as the page shows it now; what draws by script (maps, charts) follows it.
export const isDark = () => {
  const chosen = document.documentElement.dataset.bsTheme
  return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
}

// Calls back on every change; returns the function that stops it.
export function onThemeChange (callback) {
  const observer = new MutationObserver(callback)
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-bs-theme'] })
  return () => observer.disconnect()
}
