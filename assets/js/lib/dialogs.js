// [data-confirm="What this does and cannot be undone"] on a submit button asks first. Without scripts the form is
// simply sent: the server decides either way. Enter says yes, Esc no; the focus goes back to the button.
export function ask (sentence, yes) {
  const dialog = document.getElementById('gj-confirm')
  dialog.querySelector('[data-dialog-text]').textContent = sentence
  dialog.querySelector('[data-dialog-yes]').textContent = yes
  dialog.showModal()
  // Not by its close event: that comes later, when the next question may be open already.
  return new Promise(resolve => {
    const answered = new AbortController()
    const answer = value => { answered.abort(); resolve(value) }
    dialog.addEventListener('cancel', () => answer(false), { signal: answered.signal })
    dialog.querySelector('form').addEventListener('submit', event => answer(event.submitter?.value === 'yes'), { signal: answered.signal })
  })
}

export function confirmBeforeSubmit () {
  document.addEventListener('click', async event => {
    const button = event.target.closest('[data-confirm]')
    if (!button || button.dataset.confirmed || typeof HTMLDialogElement === 'undefined') return
    event.preventDefault()
    event.stopImmediatePropagation()
    if (button.form && !button.form.reportValidity()) return
    const agreed = await ask(button.dataset.confirm, button.dataset.confirmLabel || button.textContent.trim())
    if (!agreed) return // the browser gives the focus back to the button
    button.dataset.confirmed = '1' // the click below is the confirmed one
    button.click()
    delete button.dataset.confirmed
  }, { capture: true })
}
