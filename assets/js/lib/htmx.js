// htmx: the CSRF token with every request that is not a GET, and a sentence where a request failed.
const SAFE = ['get', 'head', 'options']

export function csrfToken () {
  const field = document.querySelector('[name=csrfmiddlewaretoken]')
  if (field) return field.value
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] || ''
}

export function setUpHtmx () {
  document.addEventListener('htmx:configRequest', event => {
    if (!SAFE.includes(event.detail.verb)) event.detail.headers['X-CSRFToken'] = csrfToken()
  })
}
