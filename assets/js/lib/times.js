// <time datetime data-relative>: "5 minutes ago" in the page's language, the exact time on hover.
const STEPS = [['day', 86400], ['hour', 3600], ['minute', 60]]
const words = new Intl.RelativeTimeFormat(document.documentElement.lang || 'zh-Hans', { numeric: 'auto' })

function show (element) {
  const seconds = (new Date(element.dateTime) - Date.now()) / 1000
  if (Number.isNaN(seconds) || Math.abs(seconds) > 30 * 86400) return
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) || ['minute', 60]
  element.textContent = words.format(Math.round(seconds / size), unit)
}

export function setUpTimes (element) {
  if (!element.title) element.title = element.textContent.trim()
  show(element)
  setInterval(() => show(element), 60000)
}
