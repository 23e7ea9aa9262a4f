// On a narrow screen list and map take turns: the list first, the map one tap away. The map starts when first seen.
export function setUpViews (root, startMap) {
  const wide = matchMedia('(min-width: 992px)')
  const show = view => {
    root.dataset.view = view
    mark()
    if (view === 'map' || wide.matches) startMap()
  }
  const mark = () => root.querySelectorAll('button[data-view]').forEach(button => {
    button.setAttribute('aria-pressed', String(button.dataset.view === root.dataset.view))
    button.closest('[hidden]')?.removeAttribute('hidden')
  })
  root.addEventListener('click', event => {
    const button = event.target.closest('button[data-view]')
    if (button) show(button.dataset.view)
  })
  document.addEventListener('gj:results', mark)
  wide.addEventListener('change', () => { if (wide.matches) startMap() })
  show('list')
}
