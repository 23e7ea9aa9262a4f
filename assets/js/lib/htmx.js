// htmx: the CSRF token with every request that is not a GET, and a sentence where a request failed.
const SAFE = ['get', 'head', 'options']

export function csrfToken () {
  const field = document.querySelector('[name=csrfmiddlewaretoken]')
  if (field) return field.value
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] || ''
}

// A sentence in the page's live region; the same one is not said twice.
export function announce (sentence, tone = 'bad') {
  const region = document.querySelector('[data-messages]')
  if (!region || !sentence || [...region.children].some(bar => bar.textContent.trim() === sentence)) return
  const bar = document.createElement('div')
  bar.className = `gj-message-bar gj-tone-${tone}`
  bar.setAttribute('role', tone === 'bad' ? 'alert' : 'status')
  bar.textContent = sentence
  region.append(bar)
}

export function setUpHtmx () {
  const words = document.querySelector('[data-messages]')?.dataset || {}
  document.addEventListener('htmx:configRequest', event => {
    if (!SAFE.includes(event.detail.verb)) event.detail.headers['X-CSRFToken'] = csrfToken()
  })
  document.addEventListener('htmx:responseError', event => {
    const { status } = event.detail.xhr
    announce(status === 403 || status === 404 ? words.textRefused : words.textFailed)
  })
  document.addEventListener('htmx:sendError', () => announce(words.textOffline))
}
