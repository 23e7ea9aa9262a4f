// The page's one state: the fields of the list's form. Whoever changes it sends the form; the answer carries the rest.
export const explore = () => document.getElementById('gj-explore')
export const browse = () => document.getElementById('gj-browse')
const form = () => document.getElementById('gj-find')

function field (name) {
  const found = form().elements.namedItem(name)
  if (found) return found
  const made = document.createElement('input')
  made.type = 'hidden'
  made.name = name
  form().append(made)
  return made
}

// setCriteria({ bbox: '…', area: '' }): an empty value takes the condition away. Nothing happens where nothing changes.
export function setCriteria (changes) {
  let isChanged = false
  for (const [name, value] of Object.entries(changes)) {
    const input = field(name)
    if (input.value === value) continue
    input.value = value
    isChanged = true
  }
  if (isChanged) form().requestSubmit()
}

export const criterion = name => form().elements.namedItem(name)?.value || ''

export function setUpState (words) {
  document.addEventListener('change', event => {
    if (event.target.matches('[data-submit-on-change]')) form().requestSubmit()
  })
  // Empty fields would make addresses long and no two alike.
  document.addEventListener('htmx:configRequest', event => {
    if (!browse().contains(event.detail.elt)) return
    const data = event.detail.formData
    for (const name of new Set(data.keys())) if (data.getAll(name).every(value => !value)) data.delete(name)
  })
  let isDrawerOpen = false
  document.addEventListener('htmx:beforeSwap', event => {
    if (event.detail.target?.id === 'gj-browse') isDrawerOpen = document.getElementById('gj-drawer')?.open
  })
  document.addEventListener('htmx:afterSettle', event => {
    if (event.detail.target?.id !== 'gj-browse' && event.target.id !== 'gj-browse') return
    if (isDrawerOpen) document.getElementById('gj-drawer').open = true
    document.dispatchEvent(new CustomEvent('gj:results'))
  })
  // Back and forward: htmx fetches the older state; the map follows it.
  document.addEventListener('htmx:historyRestore', () => document.dispatchEvent(new CustomEvent('gj:results')))
  for (const failure of ['htmx:sendError', 'htmx:responseError']) {
    document.addEventListener(failure, () => tell(words.stale, 10000))
  }
  document.addEventListener('click', event => {
    if (event.target.closest('.gj-pagination a')) explore().dataset.turned = '1'
  })
  document.addEventListener('gj:results', () => {
    document.getElementById('gj-live').textContent = document.getElementById('gj-count').textContent
    if (!explore().dataset.turned) return
    delete explore().dataset.turned
    document.getElementById('gj-count').scrollIntoView({ block: 'nearest' })
  })
}

let forgetting
export function tell (text, forMs = 0) {
  const hint = document.getElementById('gj-draw-hint')
  clearTimeout(forgetting)
  hint.textContent = text
  if (forMs) forgetting = setTimeout(() => { hint.textContent = '' }, forMs)
}
