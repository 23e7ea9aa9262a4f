// What every page needs. One behaviour per module in lib/; all of it improves pages that work without it.
import { confirmBeforeSubmit } from './lib/dialogs.js'
import { setUpCounts } from './lib/counts.js'
import { setUpHtmx } from './lib/htmx.js'
import { setUpMenus } from './lib/menus.js'
import { setUpTabs } from './lib/tabs.js'
import { setUpTheme } from './lib/theme-toggle.js'
import { setUpTimes } from './lib/times.js'
import { watch } from './lib/watch.js'

setUpTheme()
setUpMenus()
setUpHtmx()
confirmBeforeSubmit()
watch('[role=tablist]:not([data-case-tabs])', setUpTabs)
watch('time[data-relative]', setUpTimes)
watch('[data-count-url]', setUpCounts)
watch('[data-geo-widget]', async root => {
  const { enhance } = await import('./geo-widget.js')
  enhance(root)
})
watch('[data-map-view]', async root => {
  const { showMap } = await import('./map-view.js')
  showMap(root)
})
watch('[data-focus-first]', element => {
  element.focus({ preventScroll: true })
  element.scrollIntoView({ block: 'center' })
})
watch('form', form => form.addEventListener('submit', event => oncePerPage(event, form)))

// A second click while the first is on its way would send the form twice.
function oncePerPage (event, form) {
  if (event.defaultPrevented || form.method !== 'post' || form.hasAttribute('hx-post')) return
  if (form.dataset.sent) { event.preventDefault(); return }
  form.dataset.sent = '1'
  setTimeout(() => { delete form.dataset.sent }, 8000)
}
window.addEventListener('pageshow', () => document.querySelectorAll('form[data-sent]').forEach(form => { delete form.dataset.sent }))
